#include "table.h"

#include <gtest/gtest.h>

#include <memory>

#include "child.h"

namespace share_data::test {
namespace {

class TableTest : public testing::Test {
 protected:
  void put(std::uint32_t index, Word owner, Word leaving = 0) {
    occupy(table.slots[index], owner);
    table.slots[index].leaving = leaving;
    table.cover(index);
  }

  [[nodiscard]] std::uint32_t live() const { return table.look().live; }

  std::unique_ptr<Table> memory = std::make_unique<Table>();
  Table& table = *memory;
  const Log log{{}, 0};
};

TEST_F(TableTest, ZeroBytesAreAnEmptyTable) {
  EXPECT_EQ(live(), 0U);
  EXPECT_EQ(table.look().claimed, 0U);
}

TEST_F(TableTest, AnOwnerWordSaysWhoCounts) {
  put(0, joined_word(5));
  EXPECT_EQ(live(), 1U) << "before everybody has been told";
  put(1, running_word(6));
  EXPECT_EQ(live(), 2U);
  put(2, gone_word);
  EXPECT_EQ(live(), 2U) << "the kernel took it out";
  put(1, running_word(6), 7);
  EXPECT_EQ(live(), 2U) << "another copy left this slot before";
  put(1, running_word(6), 6);
  EXPECT_EQ(live(), 1U) << "it leaves";
  EXPECT_EQ(table.look().gone, 1U);
}

TEST_F(TableTest, ACopyThatIsJoiningTakesASlotButDoesNotCount) {
  put(0, joining_word(5));
  EXPECT_EQ(live(), 0U);
  EXPECT_EQ(table.look().claimed, 1U);
  EXPECT_EQ(table.look().joining, 1U);
  EXPECT_EQ(table.look().gone, 0U);
  table.slots[0].owner = FUTEX_OWNER_DIED;  // what the kernel makes of it
  EXPECT_EQ(table.look().joining, 0U);
  EXPECT_EQ(table.look().gone, 1U);
}

TEST_F(TableTest, ALookTakesEverySlotThatWasEverClaimed) {
  put(3, running_word(5), 8);
  table.changes = 17;
  const View view = table.look();
  EXPECT_EQ(view.changes, 17U);
  EXPECT_EQ(view.claimed, 1U);
  ASSERT_EQ(view.slots.size(), 4U);
  EXPECT_EQ(view.slots[2], SeenSlot{});
  EXPECT_EQ(view.slots[3], (SeenSlot{running_word(5), 8}));
}

TEST_F(TableTest, ALookAfterAnotherOneAlsoSaysWhatHasChanged) {
  put(1, running_word(5));
  put(2, running_word(6));
  View view = table.look();
  EXPECT_EQ(view.changed, (std::vector<std::uint32_t>{1, 2}));
  view.changed.clear();
  put(0, joined_word(7));
  put(2, 0);
  view = table.look(std::move(view));
  EXPECT_EQ(view.changed, (std::vector<std::uint32_t>{0, 2}));
  EXPECT_EQ(view.slots, table.look().slots);
  EXPECT_EQ(view.live, 2U);
}

TEST_F(TableTest, ALookGoesAsFarAsTheSlotsAreCoveredAndNoFurtherThanTheyGo) {
  put(slot_count - 1, running_word(5));
  table.used = 0;
  EXPECT_EQ(live(), 0U);
  table.cover(slot_count - 1);
  EXPECT_EQ(live(), 1U);
  table.cover(0);
  EXPECT_EQ(live(), 1U) << "what is covered stays covered";
  table.used = ~0U;
  EXPECT_EQ(live(), 1U);
}

TEST_F(TableTest, AWordIsReplacedOnlyIfItIsWhatWasSeen) {
  EXPECT_TRUE(table.replace(0, 0, joined_word(5), log));
  EXPECT_FALSE(table.replace(0, 0, joined_word(6), log));
  EXPECT_EQ(table.slots[0].owner, joined_word(5));
}

TEST_F(TableTest, ThoseWhoAreGoneAreFreedAfterAllWereTold) {
  put(0, running_word(5));
  table.free_the_gone(table.look(), log);
  EXPECT_EQ(table.changes, 0U) << "nobody is gone";
  put(1, gone_word);
  put(2, joined_word(6));
  put(3, FUTEX_OWNER_DIED);
  table.free_the_gone(table.look(), log);
  EXPECT_EQ(table.changes, 1U);
  const View view = table.look();
  EXPECT_EQ(view.claimed, 2U);
  EXPECT_EQ(view.slots[0].owner, running_word(5));
  EXPECT_EQ(view.slots[2].owner, joined_word(6));
}

TEST_F(TableTest, WhoHasGoneSinceTheLookIsNotFreed) {
  put(0, gone_word);
  put(1, running_word(5));
  const View before = table.look();
  put(1, gone_word);
  table.free_the_gone(before, log);
  EXPECT_EQ(table.slots[0].owner, 0U);
  EXPECT_EQ(table.slots[1].owner, gone_word) << "the others may have looked before this death";
}

TEST_F(TableTest, ASlotThatWasTakenAgainIsNotFreed) {
  put(0, gone_word);
  const View before = table.look();
  put(0, joined_word(5));
  table.free_the_gone(before, log);
  EXPECT_EQ(table.slots[0].owner, joined_word(5));
}

TEST(OwnerWord, IsShownAsItsParts) {
  EXPECT_EQ(to_text(0), "0");
  EXPECT_EQ(to_text(running_word(4242)), "4242|WAITERS");
  EXPECT_EQ(to_text(joining_word(4242)), "4242|OWNER_DIED");
  EXPECT_EQ(to_text(joined_word(4242)), "4242|WAITERS|OWNER_DIED");
  EXPECT_EQ(to_text(gone_word), "WAITERS|OWNER_DIED");
  EXPECT_EQ(to_text(FUTEX_OWNER_DIED), "OWNER_DIED");
}

}  // namespace
}  // namespace share_data::test
