// One more copy, until the line on the last of N.
//
// Twice: (a) the harness itself joins through Membership, against a raw wake by the harness; (b) from nothing
// to a whole process of share_data, against a process that reads the same options and does the raw wake.
#include <fmt/format.h>

#include "identity.h"
#include "membership.h"
#include "opponents.h"
#include "rows.h"

namespace share_data::bench {
namespace {

constexpr double goal = 1.5;

struct Measured {
  Samples join, wake, whole_start, whole_wake;
};

Microseconds join(Copies& copies, std::uint32_t n, const StopSignals& stop) {
  const Applicant harness{.identity = own_identity(), .key = copies.key.value(), .max = {}};
  const auto start = Clock::now();
  Membership newcomer{harness, stop};
  const Microseconds taken = copies.crowd.wait_for(n + 1) - start;
  newcomer.leave();
  copies.crowd.wait_for(n);
  return taken;
}

Microseconds wake(RawWaiters& waiters, std::uint32_t n) {
  const auto start = Clock::now();
  waiters.wake();
  const Microseconds taken = waiters.crowd.wait_for(n + 1) - start;
  waiters.wake();
  waiters.crowd.wait_for(n);
  return taken;
}

Microseconds start_copy(Copies& copies, std::uint32_t n, const StopSignals& stop) {
  Crowd newcomer{stop};
  const auto start = Clock::now();
  newcomer.start(copy_command(copies.key));
  const Microseconds taken = copies.crowd.wait_for(n + 1) - start;
  newcomer.stop_all();
  copies.crowd.wait_for(n);
  return taken;
}

Microseconds start_waker(RawWaiters& waiters, std::uint32_t n, const StopSignals& stop) {
  Crowd newcomer{stop};
  const auto start = Clock::now();
  newcomer.start(limit_command(role::wake, waiters.key()));
  const Microseconds taken = waiters.crowd.wait_for(n + 1) - start;
  newcomer.kill_all();
  waiters.wake();
  waiters.crowd.wait_for(n);
  return taken;
}

Measured measure(const Bench& bench, std::uint32_t n) {
  Measured measured;
  Copies copies{n, bench.stop};
  RawWaiters waiters{n, bench.stop};
  const auto settle = [&] { pause_for(settling_time(n), bench.stop); };
  for (int round = 0; round < bench.rounds(n); ++round) {
    settle();
    measured.join.add(join(copies, n, bench.stop));
    settle();
    measured.wake.add(wake(waiters, n));
    settle();
    measured.whole_start.add(start_copy(copies, n, bench.stop));
    settle();
    measured.whole_wake.add(start_waker(waiters, n, bench.stop));
  }
  return measured;
}

/// The same by the article's way: the harness counts up.
std::string article_way(const Bench& bench, std::uint32_t n) {
  constexpr std::chrono::seconds patience{5};
  Article article{n, bench.stop};
  Samples samples;
  try {
    for (int round = 0; round < bench.rounds(n); ++round) {
      article.set(n);
      article.crowd.wait_for(n, patience);
      pause_for(settling_time(2), bench.stop);
      const auto start = Clock::now();
      article.set(n + 1);
      samples.add(article.crowd.wait_for(n + 1, patience) - start);
    }
  } catch (const WrongCount&) {
    return fmt::format("over {}", text_of(patience));
  }
  return samples.text();
}

}  // namespace

void one_more(const Bench& bench) {
  std::vector<Row> whole;
  for (const std::uint32_t n : bench.scale.crowds) {
    const Measured measured = measure(bench, n);
    Row row =
        compare(fmt::format("one joins → last of {0} lines; one wake of {0}", n), measured.join, measured.wake, goal);
    row.article = article_way(bench, n);
    bench.report.add(row);
    whole.push_back(compare(fmt::format("one is started → last of {0} lines; a start and a wake of {0}", n),
                            measured.whole_start, measured.whole_wake, goal));
  }
  for (Row& row : whole) bench.report.add(std::move(row));
}

}  // namespace share_data::bench
