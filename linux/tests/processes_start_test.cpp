// Copies that start and leave, and what they do in between: nothing.
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <thread>

#include <fmt/format.h>

#include "copies_test.h"
#include "seed.h"
#include "strace.h"

namespace share_data::test {
namespace {

using Start = CopiesTest;

TEST_F(Start, EveryCopyShowsHowManyRun) {
  Copies copies;
  for (int count = 1; count <= 5; ++count) {
    copies.push_back(start());
    EXPECT_TRUE(all_show(copies, count));
  }
  EXPECT_TRUE(all_leave(copies));
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(Start, TwoHundredCopiesStartedAtOnceAgree) {
  const int count = scaled(200);
  Copies copies = start_many(count);
  EXPECT_TRUE(all_show(copies, count));

  const auto middle = copies.begin() + count / 2;
  Copies half{std::make_move_iterator(middle), std::make_move_iterator(copies.end())};
  copies.erase(middle, copies.end());
  EXPECT_TRUE(all_leave(half));
  EXPECT_TRUE(all_show(copies, count / 2));

  EXPECT_TRUE(all_leave(copies));
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(Start, TheFirstLineIsTrue) {
  Copies copies;
  for (int count = 1; count <= 20; ++count) {
    copies.push_back(start());
    ASSERT_TRUE(copies.back().prints("joined"));
    EXPECT_EQ(live_on(copies.back().lines().front()), count);
  }
}

TEST_F(Start, ALineNamesWhoJoinedAndWhoLeft) {
  Copy witness = start_alone();
  Copy other = start();
  EXPECT_TRUE(witness.prints("2 live  + " + std::to_string(other.pid())));
  EXPECT_EQ(other.stop(), 0);
  EXPECT_TRUE(witness.prints("1 live  - " + std::to_string(other.pid())));
}

TEST_F(Start, TheLastLineSaysHowManyRemain) {
  Copies copies = start_together(2);
  EXPECT_EQ(copies[0].stop(), 0);
  EXPECT_NE(copies[0].lines().back().find("1 live  left"), std::string::npos) << copies[0].lines().back();
  EXPECT_EQ(copies[1].stop(), 0);
  EXPECT_NE(copies[1].lines().back().find("0 live  left; last one out, segment removed"), std::string::npos)
      << copies[1].lines().back();
}

TEST_F(Start, TheNotesSayWhoCreatedTheSegment) {
  Copy first = start_alone();
  Copy second = start();
  ASSERT_TRUE(all_show({&first, &second}, 2));
  const std::string segment = "segment " + std::to_string(RawSegment{key()}.id()) + ", key " + key_text();
  EXPECT_EQ(first.notes().find("share_data: created " + segment), 0U) << first.notes();
  EXPECT_EQ(second.notes().find("share_data: attached to " + segment), 0U) << second.notes();
}

TEST_F(Start, QuietKeepsTheNotesToItself) {
  Copy quiet = start({"--quiet"});
  ASSERT_TRUE(all_show({&quiet}, 1));
  EXPECT_EQ(quiet.stop(), 0);
  EXPECT_EQ(quiet.notes(), "");
}

TEST_F(Start, ACopyLeavesWhenItsTimeIsOver) {
  Copy witness = start();
  Copy brief = start({"--for", "0.25"});
  EXPECT_EQ(brief.exit_code(), 0);
  EXPECT_TRUE(brief.prints("1 live  left"));
  EXPECT_TRUE(all_show({&witness}, 1));
}

TEST_F(Start, AnyStopSignalIsACleanExit) {
  Copy witness = start();
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    Copy other = start();
    ASSERT_TRUE(all_show({&witness, &other}, 2));
    other.signal(number);
    EXPECT_EQ(other.exit_code(), 0) << "signal " << number;
    EXPECT_TRUE(witness.prints("1 live  - " + std::to_string(other.pid())));
  }
}

// A shell script starts what it puts into the background with SIGINT ignored.
TEST_F(Start, StopSignalsWorkEvenIfTheyWereInheritedAsIgnored) {
  for (const int number : {SIGINT, SIGTERM, SIGQUIT}) {
    Copy copy = start(Launch{.before_exec = [=] { ::signal(number, SIG_IGN); }});
    ASSERT_TRUE(all_show({&copy}, 1));
    copy.signal(number);
    EXPECT_EQ(copy.exit_code(), 0) << "signal " << number;
  }
}

TEST_F(Start, UnderNohupACopyIgnoresOnlySIGHUP) {
  Copy copy = start(Launch{.through = {"nohup"}});
  ASSERT_TRUE(all_show({&copy}, 1));
  copy.signal(SIGHUP);
  Copy other = start();
  EXPECT_TRUE(all_show({&copy, &other}, 2));
  EXPECT_EQ(copy.stop(), 0);
}

TEST_F(Start, StopSignalsWorkEvenIfTheyWereInheritedAsBlocked) {
  Copy copy = start(Launch{.before_exec = [] {
    sigset_t all{};
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, nullptr);
  }});
  ASSERT_TRUE(all_show({&copy}, 1));
  EXPECT_EQ(copy.stop(), 0);
}

TEST_F(Start, ASignalThatComesAtOnceLeavesNothingBehind) {
  if (thread_sanitized) GTEST_SKIP() << "ThreadSanitizer runs a handler later, and not during a futex wait";
  for (int i = 0; i < scaled(50); ++i) {
    Copy copy = start();
    EXPECT_TRUE(eventually([&] { return segment_of(key()) || copy.ended(); }));
    EXPECT_EQ(copy.stop(), 0);
  }
  EXPECT_TRUE(nothing_is_left());
}

using Idle = CopiesTest;

TEST_F(Idle, FiveCopiesDoNotWakeUpOnceInFiveSeconds) {
  if (thread_sanitized) GTEST_SKIP() << "ThreadSanitizer has a thread of its own that wakes up";
  Copies copies = start_together(5);
  ASSERT_TRUE(all_sleep(copies));
  const auto before = cpu_time_of(copies);
  std::this_thread::sleep_for(std::chrono::seconds{5});
  EXPECT_EQ(cpu_time_of(copies), before);
}

TEST_F(Idle, AWholeLifeTakesOneThreadAndNoProc) {
  if (sanitized || !has_strace()) GTEST_SKIP() << "needs strace, and no sanitizer, which needs these calls itself";
  const std::string path = testing::TempDir() + key_text();
  Copies others = start_together(2);
  Copy copy = start(Launch{.options = {"--explain", "--max", "9"}, .through = {"strace", "-f", "-o", path}});
  ASSERT_TRUE(all_show({&others[0], &others[1], &copy}, 3));
  others[0].destroy();
  ASSERT_TRUE(remove_segment(key()));
  EXPECT_EQ(others[1].stop(), 0);
  ASSERT_TRUE(copy.prints("1 live"));
  kill(own_pid(copy), SIGTERM);
  EXPECT_EQ(copy.exit_code(), 0);
  std::ifstream file{path};
  const std::string calls{std::istreambuf_iterator<char>{file}, {}};
  std::remove(path.c_str());
  EXPECT_NE(calls.find("futex_waitv("), std::string::npos) << calls;
  for (const char* const unwanted : {"clone", "fork(", "openat(AT_FDCWD, \"/proc", "pidfd_"}) {
    EXPECT_EQ(calls.find(unwanted), std::string::npos) << calls.substr(calls.find(unwanted), 200);
  }
}

using LastOut = CopiesTest;

TEST_F(LastOut, HundredsOfShortLivesLeaveOneSegmentToThoseWhoStayAndNothingInTheEnd) {
  std::mt19937 random{seed()};
  const auto moment = [&] { return std::chrono::microseconds{random() % 3000}; };
  for (int round = 0; round < scaled(100); ++round) {
    Copies brief;
    Copies staying;
    for (int i = 0; i < 12; ++i) {
      brief.push_back(
          start({"--quiet", "--for", fmt::format("{:.6f}", 1e-6 * static_cast<double>(random() % 5000 + 1))}));
      if (random() % 8 == 0) staying.push_back(start({"--quiet"}));
      if (random() % 3 == 0) std::this_thread::sleep_for(moment());
    }
    for (Copy& copy : brief) ASSERT_EQ(copy.exit_code(), 0) << copy.notes();
    ASSERT_TRUE(all_show(staying, static_cast<int>(staying.size()))) << "in round " << round;
    ASSERT_EQ(removed_segments(key()), 0U) << "in round " << round;
    ASSERT_TRUE(all_leave(staying));
    ASSERT_TRUE(nothing_is_left()) << "in round " << round;
  }
}

TEST_F(LastOut, WhoComesJustWhenTheLastOneLeavesIsNeverAloneInASegmentOfItsOwn) {
  Copy current = start_alone();
  std::mt19937 random{seed()};
  for (int round = 0; round < scaled(200); ++round) {
    Copies next = start_many(2);
    std::this_thread::sleep_for(std::chrono::microseconds{random() % 4000});
    ASSERT_EQ(current.stop(), 0);
    ASSERT_TRUE(all_show(next, 2)) << "in round " << round;
    ASSERT_EQ(next[1].stop(), 0);
    current = std::move(next[0]);
  }
  EXPECT_EQ(current.stop(), 0);
  EXPECT_TRUE(nothing_is_left());
}

}  // namespace
}  // namespace share_data::test
