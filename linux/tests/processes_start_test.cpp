// Copies that start, and copies that leave.
#include <iterator>

#include "copies_test.h"

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
  Copy witness = start();
  ASSERT_TRUE(all_show({&witness}, 1));
  Copy other = start();
  EXPECT_TRUE(witness.prints("2 live  + " + std::to_string(other.pid())));
  EXPECT_EQ(other.stop(), 0);
  EXPECT_TRUE(witness.prints("1 live  - " + std::to_string(other.pid())));
}

TEST_F(Start, TheLastLineSaysHowManyRemain) {
  Copies copies = start_many(2);
  ASSERT_TRUE(all_show(copies, 2));
  EXPECT_EQ(copies[0].stop(), 0);
  EXPECT_NE(copies[0].lines().back().find("1 live  left"), std::string::npos) << copies[0].lines().back();
  EXPECT_EQ(copies[1].stop(), 0);
  EXPECT_NE(copies[1].lines().back().find("0 live  left; last one out, segment removed"), std::string::npos)
      << copies[1].lines().back();
}

TEST_F(Start, TheNotesSayWhoCreatedTheSegment) {
  Copy first = start();
  ASSERT_TRUE(all_show({&first}, 1));
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
TEST_F(Start, StopSignalsWorkWhereTheyWereInheritedAsIgnored) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    Copy copy = start(Launch{.before_exec = [=] { ::signal(number, SIG_IGN); }});
    ASSERT_TRUE(all_show({&copy}, 1));
    copy.signal(number);
    EXPECT_EQ(copy.exit_code(), 0) << "signal " << number;
  }
}

TEST_F(Start, StopSignalsWorkWhereTheyWereInheritedAsBlocked) {
  Copy copy = start(Launch{.before_exec = [] {
    sigset_t all{};
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, nullptr);
  }});
  ASSERT_TRUE(all_show({&copy}, 1));
  EXPECT_EQ(copy.stop(), 0);
}

TEST_F(Start, ASignalThatComesAtOnceLeavesNothingBehind) {
  for (int i = 0; i < scaled(50); ++i) {
    Copy copy = start();
    EXPECT_TRUE(eventually([&] { return segment_of(key()) || copy.ended(); }));
    EXPECT_EQ(copy.stop(), 0);
  }
  EXPECT_TRUE(nothing_is_left());
}

}  // namespace
}  // namespace share_data::test
