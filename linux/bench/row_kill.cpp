// `kill -9` of one copy, until the line on the last of N others.
//
// In the limit and by a pidfd, one process learns of the death and wakes N by one futex.
#include <fmt/format.h>

#include "opponents.h"
#include "rows.h"

namespace share_data::bench {
namespace {

Microseconds kill_copy(Copies& copies, std::uint32_t n) {
  Crowd victim;
  victim.start(copy_command(copies.key));
  victim.wait_for(n + 1);
  copies.crowd.wait_for(n + 1);
  settle(n);
  const auto start = Clock::now();
  victim.send(SIGKILL);
  return copies.crowd.wait_for(n) - start;
}

Microseconds kill_watched(RawWaiters& waiters, std::uint32_t n, const Command& victim_command,
                          const char* watcher_role) {
  Crowd victim;
  victim.start(victim_command);
  victim.wait_for(1);
  waiters.board().owner = static_cast<std::uint32_t>(victim.pids().front()) | FUTEX_WAITERS;
  Crowd watcher;
  watcher.start(limit_command(watcher_role, waiters.segment.key()));
  watcher.wait_for(n);
  settle(n);
  const auto start = Clock::now();
  victim.send(SIGKILL);
  const Microseconds taken = waiters.crowd.wait_for(n + 1) - start;
  waiters.reset();
  return taken;
}

Microseconds kill_owner(RawWaiters& waiters, std::uint32_t n) {
  return kill_watched(waiters, n, limit_command(role::own, waiters.segment.key()), role::watch_owner);
}

/// The victim is a copy of share_data under a key of its own, so that the same thing dies.
Microseconds kill_behind_pidfd(RawWaiters& waiters, std::uint32_t n) {
  const OwnKey key;
  return kill_watched(waiters, n, copy_command(key), role::watch_pidfd);
}

/// By the article's way nobody learns of it: how often the count is still wrong after half a second.
std::string article_way(const Bench& bench, std::uint32_t n) {
  const int rounds = bench.rounds(n) / 4 + 1;
  int wrong = 0;
  Article article{n};
  for (int round = 0; round < rounds; ++round) {
    article.set(n);
    article.crowd.wait_for(n);
    Crowd victim;
    victim.start(article_command(article.segment.key()));
    victim.wait_for(n + 1);
    victim.kill_all();
    pause_for(std::chrono::milliseconds{500});
    wrong += article.crowd.shows(n) ? 0 : 1;
  }
  return fmt::format("still wrong after 0.5 s in {} of {} kills", wrong, rounds);
}

double goal(std::uint32_t n) {
  if (n <= 8) return 0.8;
  return n <= 64 ? 1.0 : 1.25;
}

}  // namespace

void one_killed(const Bench& bench) {
  for (const std::uint32_t n : bench.scale.crowds) {
    Samples copies_told;
    Samples by_mark;
    Samples by_pidfd;
    Copies copies{n};
    RawWaiters waiters{n};
    for (int round = 0; round < bench.rounds(n); ++round) {
      copies_told.add(kill_copy(copies, n));
      by_mark.add(kill_owner(waiters, n));
      by_pidfd.add(kill_behind_pidfd(waiters, n));
    }
    Row row = compare(fmt::format("`kill -9` of one → last of {} lines", n), copies_told, by_mark, goal(n));
    const double to_pidfd = copies_told.median() / by_pidfd.median();
    row.pidfd = fmt::format("{}: ratio {:.2f}", by_pidfd.text(), to_pidfd);
    row.goal = goal_text(to_pidfd, goal(n), " × pidfd");
    if (n == bench.scale.crowds.front()) row.article = article_way(bench, n);
    bench.report.add(std::move(row));
  }
}

}  // namespace share_data::bench
