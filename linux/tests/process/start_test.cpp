// Copies that start and leave, and what they do in between: nothing.
#include <sys/resource.h>

#include <algorithm>

#include "copies.h"

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
  const Group all{copies};
  destroy({all.begin(), all.begin() + count / 3});
  expect_all_leave({all.begin() + count / 3, all.begin() + 2 * count / 3});
  copies.erase(copies.begin(), copies.begin() + 2 * count / 3);
  expect_all_is_well(copies);
}

TEST_F(Start, ACopyLeavesWhenItsTimeIsOverAndTheLastLinesAndNotesSayWhatHappened) {
  Copy last = start_alone();
  const std::string segment =
      fmt::format("segment {}, key {}, 172 KiB, attached at 0x", RawSegment{key()}.id(), key_text());
  const Answer brief = ask_here({"--for", "0.25"});
  EXPECT_EQ(brief.exit_code, 0);
  EXPECT_TRUE(contains(brief.output, "1 live  left"));
  EXPECT_EQ(brief.notes.find("share_data: attached to " + segment), 0U) << brief.notes;
  EXPECT_EQ(std::ranges::count(brief.notes, '\n'), 1) << "nothing is explained unasked";
  EXPECT_EQ(ask_here({"--quiet", "--for", "0.25"}).notes, "");
  EXPECT_EQ(last.stop(), 0);
  EXPECT_TRUE(contains(last.lines().back(), "0 live  left; last one out, segment removed"));
  EXPECT_EQ(last.notes().find("share_data: created " + segment), 0U) << last.notes();
}

using Idle = CopiesTest;

TEST_F(Idle, FiveCopiesDoNotWakeUpOnceInFiveSeconds) {
  if (!has_futex_waitv()) GTEST_SKIP() << "needs futex_waitv";
  Copies copies = start_together(5);
  EXPECT_TRUE(all_sleep(copies, std::chrono::seconds{5}));
}

using LastOut = CopiesTest;

// The race that a bare attach count or a lock loses: the last copies remove the segment while the next ones join.
TEST_F(LastOut, WhoComesJustWhenTheLastOnesLeaveOrAreKilledIsNeverAloneInASegmentOfItsOwn) {
  std::mt19937 random{seed()};
  for (const unsigned kills_in_ten : {0U, 5U}) {
    Copies current = start_together(2);
    for (int round = 0; round < scaled(300) && !HasFailure(); ++round) {
      SCOPED_TRACE(round);
      Copies next = start_many(2, {.options = {"--quiet"}});
      std::this_thread::sleep_for(std::chrono::microseconds{random() % 4000});
      random() % 10 < kills_in_ten ? destroy(current) : expect_all_leave(current);
      EXPECT_TRUE(all_show(next));
      EXPECT_TRUE(eventually([&] { return removed_segments(key()) == 0; }));
      current = std::move(next);
    }
    expect_clean_end(current);
  }
}

}  // namespace
}  // namespace share_data::test
