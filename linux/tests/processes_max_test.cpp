// --max N: exactly N, however many start at once.
#include <algorithm>

#include "bystander.h"
#include "copies_test.h"
#include "strace.h"
#include "table.h"

namespace share_data::test {
namespace {

class Max : public CopiesTest {
 protected:
  /// Starts many copies with `--max max` at once, waits until each has either joined or been refused, and keeps
  /// those that have joined.
  Copies start_with_max(int count, int max, const std::vector<std::string>& through = {}) const {
    Copies copies;
    for (int i = 0; i < count; ++i) {
      copies.push_back(start(Launch{.options = {"--max", std::to_string(max)}, .through = through}));
    }
    EXPECT_TRUE(eventually(
        [&] { return std::ranges::all_of(copies, [](Copy& copy) { return copy.ended() || copy.shown(); }); }));
    Copies joined;
    for (Copy& copy : copies) {
      if (!copy.ended()) {
        joined.push_back(std::move(copy));
        continue;
      }
      EXPECT_EQ(copy.exit_code(), 3) << copy.notes();
      EXPECT_EQ(copy.output(), "");
      const std::string text = std::to_string(max);
      EXPECT_NE(copy.notes().find("share_data: not joining: " + text + " live, --max " + text), std::string::npos)
          << copy.notes();
    }
    return joined;
  }
};

TEST_F(Max, OfSixtyStartersExactlyAsManyJoinAsMay) {
  for (const int max : {1, 2, 17, 59, 60}) {
    Copies joined = start_with_max(60, max);
    EXPECT_EQ(joined.size(), static_cast<std::size_t>(max));
    EXPECT_TRUE(all_show(joined, max));
    EXPECT_TRUE(all_leave(joined));
    EXPECT_TRUE(nothing_is_left());
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

// Whoever joins without a limit waits for no turn, so it can come between the two looks of another copy.
TEST_F(Max, ACopyThatSeesTooManyAfterItsClaimGivesWay) {
  if (!has_strace()) GTEST_SKIP() << "needs strace";
  const RawSegment segment{key(), sizeof(Table)};
  Copy copy = start(Launch{.options = {"--max", "1"}, .through = strace("shmctl:delay_enter=50000")});
  Table& table = segment.as<Table>();
  const Bystander other;
  ASSERT_TRUE(eventually([&] { return table.slots[0].owner != 0; }));
  for (Slot::Alarm& alarm : table.slots[1].alarms) alarm.owner = running_word(other.tid());
  table.slots[1].owner = running_word(other.tid());
  table.cover(1);
  EXPECT_EQ(copy.exit_code(), 3) << copy.output();
  EXPECT_EQ(copy.output(), "");
  EXPECT_EQ(table.look(0).live, 1U);
  EXPECT_EQ(table.plain, 0);
  EXPECT_EQ(table.admitting, 0U);
}

TEST_F(Max, ThoseWithoutALimitCountButAreNotLimited) {
  Copies unlimited = start_together(5);
  EXPECT_TRUE(start_with_max(10, 5).empty());
  EXPECT_EQ(start_with_max(10, 7).size(), 2U);
}

TEST_F(Max, APlaceThatBecomesFreeCanBeTaken) {
  Copies joined = start_with_max(3, 3);
  ASSERT_TRUE(all_show(joined, 3));
  EXPECT_EQ(joined.back().stop(), 0);
  joined.pop_back();
  joined.push_back(start({"--max", "3"}));
  EXPECT_TRUE(all_show(joined, 3));
}

TEST_F(Max, TheDeadTakeNobodysPlace) {
  Copies dead = start_together(10);
  for (const Copy& copy : dead) copy.signal(SIGKILL);
  for (Copy& copy : dead) copy.destroy();
  Copies joined = start_with_max(60, 10);
  EXPECT_EQ(joined.size(), 10U);
  EXPECT_TRUE(all_show(joined, 10));
}

TEST_F(Max, StartersThatAreKilledHoldUpNobody) {
  for (int round = 0; round < scaled(20); ++round) {
    Copies starters = start_many(10, {"--max", "3"});
    for (std::size_t i = 0; i < starters.size(); i += 2) starters[i].signal(SIGKILL);
    EXPECT_TRUE(eventually(
        [&] { return std::ranges::all_of(starters, [](Copy& copy) { return copy.ended() || copy.shown(); }); }));
    std::erase_if(starters, [](Copy& copy) { return copy.ended(); });
    EXPECT_LE(starters.size(), 3U);
    EXPECT_TRUE(all_show(starters, static_cast<int>(starters.size())));
  }
}

TEST_F(Max, CopiesWhoseSegmentWasRemovedStillCount) {
  Copies copies = start_together(3);
  ASSERT_TRUE(remove_segment(key()));
  Copies joined = start_with_max(20, 5);
  EXPECT_EQ(joined.size(), 2U);
  std::ranges::move(joined, std::back_inserter(copies));
  EXPECT_TRUE(all_show(copies, static_cast<int>(copies.size())));
}

TEST_F(Max, WhoIsRefusedDisturbsNobody) {
  Copies copies = start_together(2);
  const std::size_t lines = copies[0].lines().size();
  EXPECT_EQ(ask_here({"--max", "2"}).exit_code, 3);
  EXPECT_EQ(ask_here({"--max", "1"}).exit_code, 3);
  EXPECT_EQ(copies[1].stop(), 0);
  EXPECT_TRUE(copies[0].prints("1 live  - " + std::to_string(copies[1].pid())));
  EXPECT_EQ(copies[0].lines().size(), lines + 1);
}

}  // namespace
}  // namespace share_data::test
