// Copies that start and leave, and what they do in between: nothing.
#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <fstream>
#include <iterator>

#include "child.h"
#include "copies.h"
#include "faults.h"

namespace share_data::test {
namespace {

using Start = CopiesTest;

TEST_F(Start, EveryCopyShowsHowManyRunFromItsFirstLineOn) {
  Copies copies;
  for (int count = 1; count <= 20; ++count) {
    copies.push_back(start());
    EXPECT_EQ(copies.back().shown_first(), count);
    EXPECT_TRUE(all_show(copies));
  }
  expect_clean_end(copies);
}

TEST_F(Start, AThousandCopiesStartedAtOnceAgree) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  const auto count = std::min(scaled(1000), static_cast<int>(std::min<rlim_t>(files.rlim_cur, 10'000) - 100) / 2);
  Copies copies = start_together(count, {.options = {"--quiet"}});
  std::ranges::shuffle(copies, std::mt19937{seed()});
  Copies killed = take_last(copies, count / 3);
  destroy(killed);
  Copies leaving = take_last(copies, count / 3);
  EXPECT_TRUE(all_leave(leaving));
  expect_all_is_well(copies);
}

TEST_F(Start, CopiesThatHardlyGetAProcessorShowTheTruth) {
  std::deque<Child> busy;
  for (unsigned i = 0; i < std::thread::hardware_concurrency(); ++i) {
    busy.emplace_back([] {
      for (std::atomic<unsigned> turns = 0;; ++turns) {}
    });
  }
  Copies copies = start_many(10, {.before_exec = [] {
                               const sched_param none{};
                               sched_setscheduler(0, SCHED_IDLE, &none);
                             }});
  EXPECT_TRUE(all_show(copies));
  for (int i = 0; i < 3; ++i) take(copies, 2).destroy();
  EXPECT_EQ(take(copies, 0).stop(), 0);
  EXPECT_TRUE(all_show(copies));
  busy.clear();
  expect_all_is_well(copies);
}

TEST_F(Start, ACopyLeavesWhenItsTimeIsOverAndItsLastLineSaysHowManyRemain) {
  Copy last = start_alone();
  Copy brief = start({.options = {"--for", "0.25"}});
  EXPECT_EQ(brief.exit_code(), 0);
  EXPECT_TRUE(contains(brief.lines().back(), "1 live  left"));
  EXPECT_TRUE(all_show({&last}, 1));
  EXPECT_EQ(last.stop(), 0);
  EXPECT_TRUE(contains(last.lines().back(), "0 live  left; last one out, segment removed"));
}

TEST_F(Start, TheNotesSayWhoCreatedTheSegmentUnlessTheyAreNotWanted) {
  Copies copies = start_in_order(2);
  ASSERT_TRUE(all_show(copies));
  const std::string segment =
      fmt::format("segment {}, key {}, 172 KiB, attached at 0x", RawSegment{key()}.id(), key_text());
  EXPECT_EQ(copies[0].notes().find("share_data: created " + segment), 0U) << copies[0].notes();
  EXPECT_EQ(copies[1].notes().find("share_data: attached to " + segment), 0U) << copies[1].notes();
  Copy quiet = start({.options = {"--quiet"}});
  EXPECT_EQ(quiet.shown_first(), 3);
  EXPECT_EQ(quiet.stop(), 0);
  EXPECT_EQ(quiet.notes(), "");
}

using Idle = CopiesTest;

TEST_F(Idle, FiveCopiesDoNotWakeUpOnceInFiveSeconds) {
  Copies copies = start_together(5);
  ASSERT_TRUE(all_sleep(copies));
  const auto before = cpu_time_of(copies);
  std::this_thread::sleep_for(std::chrono::seconds{5});
  EXPECT_EQ(cpu_time_of(copies), before);
}

TEST_F(Idle, AWholeLifeTakesOneThreadAndNoProc) {
  if (sanitized || !has_strace()) GTEST_SKIP() << "needs strace, and no sanitizer, which needs these calls itself";
  Copies others = start_together(2);
  Copy copy = start({.options = {"--explain", "--max", "9"}, .through = {"strace", "-f", "-o", path()}});
  ASSERT_TRUE(all_show({&others[0], &others[1], &copy}, 3));
  others[0].destroy();
  ASSERT_TRUE(remove_segment(key()));
  EXPECT_EQ(others[1].stop(), 0);
  ASSERT_TRUE(copy.prints("1 live"));
  ASSERT_TRUE(eventually([&] { return call_of(own_pid(copy)) == SYS_futex_waitv; }));
  kill(own_pid(copy), SIGTERM);
  EXPECT_EQ(copy.exit_code(), 0);
  std::ifstream file{path()};
  const std::string calls{std::istreambuf_iterator<char>{file}, {}};
  EXPECT_TRUE(contains(calls, "futex_waitv("));
  for (const char* const unwanted : {"clone", "fork(", "openat(AT_FDCWD, \"/proc", "pidfd_"}) {
    EXPECT_EQ(calls.find(unwanted), std::string::npos) << calls.substr(calls.find(unwanted), 200);
  }
}

using LastOut = CopiesTest;

TEST_F(LastOut, HundredsOfShortLivesLeaveOneSegmentToThoseWhoStayAndNothingInTheEnd) {
  std::mt19937 random{seed()};
  for (int round = 0; round < scaled(100) && !HasFailure(); ++round) {
    SCOPED_TRACE(round);
    Copies brief;
    Copies staying;
    for (int i = 0; i < 12; ++i) {
      const double seconds = 1e-6 * static_cast<double>(random() % 5000 + 1);
      brief.push_back(start({.options = {"--quiet", "--for", fmt::format("{:.6f}", seconds)}}));
      if (random() % 8 == 0) staying.push_back(start({.options = {"--quiet"}}));
      if (random() % 3 == 0) std::this_thread::sleep_for(std::chrono::microseconds{random() % 3000});
    }
    for (Copy& copy : brief) EXPECT_EQ(copy.exit_code(), 0) << copy.notes();
    EXPECT_TRUE(all_show(staying));
    EXPECT_TRUE(eventually([&] { return removed_segments(key()) == 0; }));
    expect_clean_end(staying);
  }
}

// The race that a bare attach count or a lock loses: the last copies remove the segment while the next ones join.
TEST_F(LastOut, WhoComesJustWhenTheLastOnesLeaveOrAreKilledIsNeverAloneInASegmentOfItsOwn) {
  std::mt19937 random{seed()};
  for (const unsigned kills_in_ten : {0U, 5U}) {
    Copies current = start_together(2);
    for (int round = 0; round < scaled(300) && !HasFailure(); ++round) {
      SCOPED_TRACE(round);
      Copies next = start_many(2, {.options = {"--quiet"}});
      std::this_thread::sleep_for(std::chrono::microseconds{random() % 4000});
      const bool killed = random() % 10 < kills_in_ten;
      signal(current, killed ? SIGKILL : SIGTERM);
      for (Copy& copy : current) EXPECT_EQ(copy.exit_code(), killed ? -SIGKILL : 0);
      EXPECT_TRUE(all_show(next));
      EXPECT_TRUE(eventually([&] { return removed_segments(key()) == 0; }));
      current = std::move(next);
    }
    expect_clean_end(current);
  }
}

}  // namespace
}  // namespace share_data::test
