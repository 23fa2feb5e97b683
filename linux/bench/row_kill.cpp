// `kill -9` of one copy, until the line on the last of N others.
//
// The limit's victim is a copy of share_data too, under a key of its own, so that the same thing dies.
#include <fmt/format.h>

#include <csignal>

#include "opponents.h"
#include "rows.h"

namespace share_data::bench {
namespace {

constexpr double goal = 2;

Microseconds kill_copy(Copies& copies, std::uint32_t n, const StopSignals& stop) {
  Crowd victim{stop};
  victim.start(copy_command(copies.key));
  victim.wait_for(n + 1);
  copies.crowd.wait_for(n + 1);
  pause_for(settling_time(n), stop);
  const auto start = Clock::now();
  victim.send(SIGKILL);
  return copies.crowd.wait_for(n) - start;
}

Microseconds kill_watched(RawWaiters& waiters, std::uint32_t n, const StopSignals& stop) {
  const OwnKey key;
  Crowd victim{stop};
  victim.start(copy_command(key));
  victim.wait_for(1);
  waiters.board().victim = victim.pids().front();
  Crowd watcher{stop};
  watcher.start(limit_command(role::watch, waiters.key()));
  watcher.wait_for(n);
  pause_for(settling_time(n), stop);
  const auto start = Clock::now();
  victim.send(SIGKILL);
  const Microseconds taken = waiters.crowd.wait_for(n + 1) - start;
  waiters.wake();
  waiters.crowd.wait_for(n);
  return taken;
}

/// By the article's way nobody learns of it: how often the count is still wrong after half a second.
std::string article_way(const Bench& bench) {
  constexpr std::uint32_t n = 8;
  const int rounds = bench.rounds(n) / 4 + 1;
  int wrong = 0;
  Article article{n, bench.stop};
  for (int round = 0; round < rounds; ++round) {
    article.set(n);
    article.crowd.wait_for(n);
    Crowd victim{bench.stop};
    victim.start(article_command(article.key()));
    victim.wait_for(n + 1);
    victim.kill_all();
    pause_for(std::chrono::milliseconds{500}, bench.stop);
    wrong += article.crowd.shows(n) ? 0 : 1;
  }
  return fmt::format("wrong after {} of {} kills", wrong, rounds);
}

}  // namespace

void one_killed(const Bench& bench) {
  for (const std::uint32_t n : bench.scale.crowds) {
    Samples copies_told;
    Samples waiters_told;
    Copies copies{n, bench.stop};
    RawWaiters waiters{n, bench.stop};
    for (int round = 0; round < bench.rounds(n); ++round) {
      pause_for(settling_time(n), bench.stop);
      copies_told.add(kill_copy(copies, n, bench.stop));
      pause_for(settling_time(n), bench.stop);
      waiters_told.add(kill_watched(waiters, n, bench.stop));
    }
    Row row = compare(fmt::format("`kill -9` of one → last of {0} lines; pidfd, one wake of {0}", n), copies_told,
                      waiters_told, goal);
    if (n == bench.scale.crowds.front()) row.article = article_way(bench);
    bench.report.add(std::move(row));
  }
}

}  // namespace share_data::bench
