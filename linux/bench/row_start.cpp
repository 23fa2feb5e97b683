// One more copy is started, until the line on the last of N others.
//
// The limit: a process that reads the same options and wakes N by one futex. The article's way: its own copies.
#include <fmt/format.h>

#include "opponents.h"
#include "rows.h"

namespace share_data::bench {
namespace {

Microseconds start_copy(Copies& copies, std::uint32_t n) {
  settle(n);
  Crowd newcomer;
  const auto start = Clock::now();
  newcomer.start(copy_command(copies.key));
  const Microseconds taken = copies.crowd.wait_for(n + 1) - start;
  newcomer.stop_all();
  copies.crowd.wait_for(n);
  return taken;
}

Microseconds start_waker(RawWaiters& waiters, std::uint32_t n) {
  settle(n);
  Crowd newcomer;
  const auto start = Clock::now();
  newcomer.start(limit_command(role::wake, waiters.segment.key()));
  const Microseconds taken = waiters.crowd.wait_for(n + 1) - start;
  newcomer.kill_all();
  waiters.reset();
  return taken;
}

std::string article_way(const Bench& bench, std::uint32_t n) {
  constexpr std::chrono::seconds patience{5};
  Article article{n};
  Samples samples;
  try {
    for (int round = 0; round < bench.rounds(n); ++round) {
      article.set(n);
      article.crowd.wait_for(n, patience);
      settle(2);
      Crowd newcomer;
      const auto start = Clock::now();
      newcomer.start(article_command(article.segment.key()));
      samples.add(article.crowd.wait_for(n + 1, patience) - start);
    }
  } catch (const WrongCount&) {
    return fmt::format("over {}", text_of(patience));
  }
  return samples.text();
}

}  // namespace

void one_started(const Bench& bench) {
  for (const std::uint32_t n : bench.scale.crowds) {
    Samples copies_told;
    Samples waiters_told;
    {
      Copies copies{n};
      RawWaiters waiters{n};
      for (int round = 0; round < bench.rounds(n); ++round) {
        copies_told.add(start_copy(copies, n));
        waiters_told.add(start_waker(waiters, n));
      }
    }
    Row row =
        compare(fmt::format("one is started → last of {} lines", n), copies_told, waiters_told, n <= 64 ? 1.1 : 1.3);
    row.article = article_way(bench, n);
    bench.report.add(std::move(row));
  }
}

}  // namespace share_data::bench
