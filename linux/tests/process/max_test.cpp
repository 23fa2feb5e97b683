// --max N: exactly N, however many start at once.
#include <algorithm>

#include "child.h"
#include "copies.h"
#include "faults.h"
#include "table.h"

namespace share_data::test {
namespace {

class Max : public CopiesTest {
 protected:
  /// Waits until each has either joined or ended, and returns those that have ended.
  static Copies take_ended(Copies& copies) {
    const auto is_through = [](Copy& copy) { return copy.ended() || copy.shown(); };
    EXPECT_TRUE(eventually([&] { return std::ranges::all_of(copies, is_through); }));
    const auto ended = std::stable_partition(copies.begin(), copies.end(), [](Copy& copy) { return !copy.ended(); });
    return take_last(copies, static_cast<int>(copies.end() - ended));
  }

  /// Starts many copies with `--max max` at once. Some join, and the others are refused.
  Copies start_with_max(int count, int max, const std::vector<std::string>& through = {}) const {
    Copies copies = start_many(count, {.options = {"--max", std::to_string(max)}, .through = through});
    for (Copy& refused : take_ended(copies)) {
      EXPECT_TRUE(failed(refused.answer(), 3, fmt::format("share_data: not joining: {0} live, --max {0}", max)));
      EXPECT_EQ(refused.output(), "");
    }
    return copies;
  }
};

TEST_F(Max, OfSixtyStartersExactlyAsManyJoinAsMay) {
  for (const int max : {1, 2, 17, 59, 60}) {
    Copies joined = start_with_max(60, max);
    EXPECT_TRUE(all_show(joined, max));
    expect_clean_end(joined);
  }
}

// Each call that asks the kernel about a segment takes longer here, so that the starters meet at every step:
// all look before anybody has claimed a slot, and all have claimed one before anybody looks again.
TEST_F(Max, OfStartersWhoMeetAtEveryStepExactlyAsManyJoinAsMay) {
  if (!has_strace()) GTEST_SKIP() << "needs strace";
  Copies joined = start_with_max(8, 3, strace("shmctl:delay_exit=2000"));
  EXPECT_EQ(joined.size(), 3U);
  EXPECT_TRUE(all_show(joined, 3));
}

// A copy that joins without a limit can do so between the two looks of another copy.
TEST_F(Max, ACopyThatSeesTooManyAfterItsClaimGivesWay) {
  if (!has_strace()) GTEST_SKIP() << "needs strace";
  const RawSegment segment{key(), sizeof(Table)};
  Copy copy = start({.options = {"--max", "1"}, .through = strace("shmctl:delay_enter=50000")});
  Table& table = segment.table();
  const Bystander other;
  ASSERT_TRUE(eventually([&] { return table.slots[0].owner != 0; }));
  occupy(table.slots[1], running_word(other.tid()));
  table.raise_used(1);
  EXPECT_EQ(copy.exit_code(), 3) << copy.output();
  EXPECT_EQ(copy.output(), "");
  EXPECT_EQ(table.look().live, 1U);
  EXPECT_EQ(table.plain, 0);
}

// One place is left, and two claim it. The one in the lower slot keeps its claim, and the other one withdraws.
TEST_F(Max, OfTwoThatAreJoiningTheOneInTheLowerSlotGoesFirst) {
  if (!has_strace()) GTEST_SKIP() << "needs strace";
  const Bystander running;
  const Bystander other;
  const auto claims_at_the_same_time = [&](std::uint32_t slot_of_other, std::uint32_t slot_at_last) {
    const RawSegment segment{key(), sizeof(Table)};
    Table& table = segment.table();
    table.magic = 0x3354'4144'5248'5303;
    table.gathered = 1;
    occupy(table.slots[0], running_word(running.tid()));
    occupy(table.slots[1], running_word(other.tid()));
    table.slots[1].leaver = other.tid();
    table.raise_used(3);
    Copy copy = start({.options = {"--max", "2"}, .through = strace("shmctl:delay_enter=20000")});
    const std::atomic<Word>& claimed = table.slots[2].owner;
    EXPECT_TRUE(eventually([&] { return claimed != 0; }));
    table.slots[slot_of_other].owner = joining_word(other.tid());
    let_it_try();
    const bool in_time = !has_joined(claimed);  // else the copy had looked again by then
    if (in_time) {
      const Word expected = slot_of_other < 2 ? 0 : joining_word(static_cast<Word>(copy.pid()));
      EXPECT_TRUE(eventually([&] { return claimed == expected; }));
      EXPECT_FALSE(copy.shown());
      table.slots[slot_of_other].owner = 0;
      EXPECT_EQ(copy.shown_first(), 2);
      EXPECT_EQ(tid_of(table.slots[slot_at_last].owner), static_cast<Word>(copy.pid()));
    }
    remove_segment(key());
    return in_time;
  };
  const auto in_time = [&](std::uint32_t slot_of_other, std::uint32_t slot_at_last) {
    for (int attempt = 0; attempt < 20; ++attempt) {
      if (claims_at_the_same_time(slot_of_other, slot_at_last)) return true;
    }
    return false;
  };
  EXPECT_TRUE(in_time(1, 1));
  EXPECT_TRUE(in_time(3, 2));
}

TEST_F(Max, ThoseWithoutALimitCountButAreNotLimited) {
  Copies unlimited = start_together(5);
  EXPECT_TRUE(start_with_max(10, 5).empty());
  EXPECT_EQ(start_with_max(10, 7).size(), 2U);
}

TEST_F(Max, APlaceThatBecomesFreeCanBeTaken) {
  Copies joined = start_with_max(3, 3);
  ASSERT_TRUE(all_show(joined, 3));
  EXPECT_EQ(take(joined, 2).stop(), 0);
  joined.push_back(start({.options = {"--max", "3"}}));
  EXPECT_TRUE(all_show(joined, 3));
}

TEST_F(Max, TheDeadTakeNobodysPlace) {
  Copies dead = start_together(10);
  destroy(dead);
  Copies joined = start_with_max(60, 10);
  EXPECT_TRUE(all_show(joined, 10));
}

TEST_F(Max, StartersThatAreKilledHoldUpNobody) {
  for (int round = 0; round < scaled(20); ++round) {
    Copies starters = start_many(10, {.options = {"--max", "3"}});
    for (std::size_t i = 0; i < starters.size(); i += 2) starters[i].signal(SIGKILL);
    for (std::size_t i = 0; i < starters.size(); i += 2) EXPECT_TRUE(eventually([&] { return starters[i].ended(); }));
    take_ended(starters);
    EXPECT_LE(starters.size(), 3U);
    EXPECT_TRUE(all_show(starters));
  }
}

TEST_F(Max, CopiesWhoseSegmentWasRemovedStillCount) {
  Copies copies = start_together(3);
  ASSERT_TRUE(remove_segment(key()));
  std::ranges::move(start_with_max(20, 5), std::back_inserter(copies));
  EXPECT_EQ(copies.size(), 5U);
  EXPECT_TRUE(all_show(copies));
}

TEST_F(Max, WhoIsRefusedDisturbsNobody) {
  Copies copies = start_together(2);
  const std::size_t lines = copies[0].lines().size();
  EXPECT_EQ(ask_here({"--max", "2"}).exit_code, 3);
  EXPECT_EQ(ask_here({"--max", "1"}).exit_code, 3);
  EXPECT_EQ(RawSegment{key()}.table().plain, 2);
  EXPECT_EQ(copies[1].stop(), 0);
  EXPECT_TRUE(copies[0].prints(fmt::format("1 live  - {}", copies[1].pid())));
  EXPECT_EQ(copies[0].lines().size(), lines + 1);
}

}  // namespace
}  // namespace share_data::test
