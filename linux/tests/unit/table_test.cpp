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
    table.slots[index].leaver = leaving;
    table.raise_used(index);
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
  EXPECT_EQ(live(), 1U) << "before all copies have been notified";
  put(1, running_word(6));
  EXPECT_EQ(live(), 2U);
  put(2, marked_word);
  EXPECT_EQ(live(), 2U) << "the kernel took it out";
  put(1, running_word(6), 7);
  EXPECT_EQ(live(), 2U) << "another copy left this slot before";
  put(1, running_word(6), 6);
  EXPECT_EQ(live(), 1U) << "it leaves";
  EXPECT_EQ(table.look().marked, 1U);
}

TEST_F(TableTest, ACopyThatIsJoiningTakesASlotButDoesNotCount) {
  put(0, joining_word(5));
  EXPECT_EQ(live(), 0U);
  EXPECT_EQ(table.look().claimed, 1U);
  EXPECT_EQ(table.look().joining, 1U);
  EXPECT_EQ(table.look().marked, 0U);
  table.slots[0].owner = FUTEX_OWNER_DIED;  // what the kernel makes of it
  EXPECT_EQ(table.look().joining, 0U);
  EXPECT_EQ(table.look().marked, 1U);
}

TEST_F(TableTest, ALookTakesEverySlotThatWasEverClaimed) {
  put(3, running_word(5), 8);
  table.changes = 17;
  const View view = table.look();
  EXPECT_EQ(view.changes, 17U);
  EXPECT_EQ(view.claimed, 1U);
  ASSERT_EQ(view.slots.size(), 4U);
  EXPECT_EQ(view.slots[2], SeenSlot{});
  EXPECT_EQ(view.slots[3], (SeenSlot{.owner = running_word(5), .leaver = 8}));
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
  table.raise_used(slot_count - 1);
  EXPECT_EQ(live(), 1U);
  table.raise_used(0);
  EXPECT_EQ(live(), 1U) << "what is covered stays covered";
  table.used = ~0U;
  EXPECT_EQ(live(), 1U);
}

TEST_F(TableTest, AWordIsReplacedOnlyIfItIsWhatWasSeen) {
  EXPECT_TRUE(table.replace(0, 0, joined_word(5), log));
  EXPECT_FALSE(table.replace(0, 0, joined_word(6), log));
  EXPECT_EQ(table.slots[0].owner, joined_word(5));
}

TEST_F(TableTest, MarkedSlotsAreFreedAfterAllCopiesAreNotified) {
  put(0, running_word(5));
  table.free_marked(table.look(), log);
  EXPECT_EQ(table.changes, 0U) << "nothing is marked";
  put(1, marked_word);
  put(2, joined_word(6));
  put(3, FUTEX_OWNER_DIED);
  table.free_marked(table.look(), log);
  EXPECT_EQ(table.changes, 1U);
  const View view = table.look();
  EXPECT_EQ(view.claimed, 2U);
  EXPECT_EQ(view.slots[0].owner, running_word(5));
  EXPECT_EQ(view.slots[2].owner, joined_word(6));
}

TEST_F(TableTest, WhatIsMarkedSinceTheLookIsNotFreed) {
  put(0, marked_word);
  put(1, running_word(5));
  const View before = table.look();
  put(1, marked_word);
  table.free_marked(before, log);
  EXPECT_EQ(table.slots[0].owner, 0U);
  EXPECT_EQ(table.slots[1].owner, marked_word) << "the others may have looked before this death";
}

TEST_F(TableTest, ASlotThatWasTakenAgainIsNotFreed) {
  put(0, marked_word);
  const View before = table.look();
  put(0, joined_word(5));
  table.free_marked(before, log);
  EXPECT_EQ(table.slots[0].owner, joined_word(5));
}

class EndTest : public TableTest {
 protected:
  /// A copy in slot 3, as an earlier look saw it.
  SeenSlot start(Word tid, std::int64_t joined) {
    put(3, running_word(tid));
    table.slots[3].joined = joined;
    return table.look().slots[3];
  }

  /// The kernel marks the slot, and somebody frees it.
  void free() { table.slots[3].owner = table.slots[3].leaver = 0; }
};

TEST_F(EndTest, ACopyThatLeavesHasLeftEvenIfTheSlotHasBeenUsedSince) {
  const SeenSlot first = start(5, 100);
  table.leave(3, 5, log);
  EXPECT_EQ(table.look().live, 0U);
  EXPECT_EQ(table.end_of(3, first, 0), End::left);
  free();
  EXPECT_EQ(table.end_of(3, first, 0), End::left);
  const SeenSlot second = start(6, 200);
  free();
  start(7, 300);
  EXPECT_EQ(table.end_of(3, first, 0), End::left);
  EXPECT_EQ(table.end_of(3, second, 0), End::killed);
}

TEST_F(EndTest, ACopyThatIsKilledWasKilledEvenIfTheNextOneInItsSlotLeaves) {
  const SeenSlot first = start(5, 100);
  free();
  start(6, 200);
  table.leave(3, 6, log);
  EXPECT_EQ(table.end_of(3, first, 0), End::killed);
  free();
  start(5, 300);  // the same TID, as in two PID namespaces
  table.leave(3, 5, log);
  EXPECT_EQ(table.end_of(3, first, 0), End::killed);
}

TEST_F(EndTest, IsUnknownIfMoreHaveLeftThanTheListIsSureToHold) {
  const SeenSlot first = start(5, 100);
  free();
  for (std::int64_t i = 1; i <= 512; ++i) {
    start(6, 100 + i);
    table.leave(3, 6, log);
    free();
  }
  EXPECT_EQ(table.end_of(3, first, 0), End::killed);
  start(6, 1000);
  table.leave(3, 6, log);
  EXPECT_EQ(table.end_of(3, first, 0), End::unknown);
  EXPECT_EQ(table.end_of(3, first, 1), End::killed) << "the look before was a moment later";
}

TEST(OwnerWord, IsShownAsItsParts) {
  EXPECT_EQ(to_text(0), "0");
  EXPECT_EQ(to_text(running_word(4242)), "4242|WAITERS");
  EXPECT_EQ(to_text(joining_word(4242)), "4242|OWNER_DIED");
  EXPECT_EQ(to_text(joined_word(4242)), "4242|WAITERS|OWNER_DIED");
  EXPECT_EQ(to_text(marked_word), "WAITERS|OWNER_DIED");
  EXPECT_EQ(to_text(FUTEX_OWNER_DIED), "OWNER_DIED");
}

}  // namespace
}  // namespace share_data::test
