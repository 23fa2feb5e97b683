#include "table.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

namespace share_data {
namespace {

Identity copy(std::uint32_t number) { return make_identity(4 * number, 1000 + number); }

TEST(Table, OfZeroesIsEmpty) {
  const auto table = std::make_unique<Table>();
  EXPECT_EQ(count_live(table->look()), 0U);
}

TEST(Table, CountsWhoHasClaimedASlot) {
  const auto table = std::make_unique<Table>();
  EXPECT_TRUE(table->claim(copy(1)));
  EXPECT_TRUE(table->claim(copy(2)));
  EXPECT_EQ(count_live(table->look()), 2U);
}

TEST(Table, CountsNoMoreWhoLeavesBeforeEverybodyHasBeenTold) {
  const auto table = std::make_unique<Table>();
  table->claim(copy(1));
  EXPECT_TRUE(table->release(copy(1)));
  EXPECT_EQ(count_live(table->look()), 0U);
  EXPECT_EQ(table->slots[0], slot_of(copy(1), Mark::leaving));
}

TEST(Table, KeepsTheSlotOfALeaverUntilEverybodyHasBeenTold) {
  const auto table = std::make_unique<Table>();
  table->claim(copy(1));
  table->release(copy(1));
  table->claim(copy(2));
  EXPECT_EQ(table->slots[1], slot_of(copy(2)));
  table->settle(copy(1));
  EXPECT_EQ(table->slots[0], free_slot);
}

TEST(Table, ShowsATombstoneWhereACopyWasFoundDead) {
  const auto table = std::make_unique<Table>();
  table->claim(copy(1));
  EXPECT_TRUE(table->bury(copy(1)));
  EXPECT_EQ(mark_of(table->slots[0]), Mark::dying);
  table->settle(copy(1));
  EXPECT_EQ(table->slots[0], slot_of(copy(1), Mark::tombstone));
  EXPECT_EQ(count_live(table->look()), 0U);
}

TEST(Table, BuriesADeadCopyOnce) {
  const auto table = std::make_unique<Table>();
  table->claim(copy(1));
  EXPECT_TRUE(table->bury(copy(1)));
  EXPECT_FALSE(table->bury(copy(1)));
}

TEST(Table, DoesNotBuryWhoHasLeft) {
  const auto table = std::make_unique<Table>();
  table->claim(copy(1));
  table->release(copy(1));
  EXPECT_FALSE(table->bury(copy(1)));
}

TEST(Table, ReusesTombstonesOnlyWhenNothingElseIsFree) {
  const auto table = std::make_unique<Table>();
  table->claim(copy(1));
  table->bury(copy(1));
  table->settle(copy(1));
  for (std::uint32_t i = 2; i < 1 + slot_count; ++i) ASSERT_TRUE(table->claim(copy(i)));
  EXPECT_EQ(mark_of(table->slots[0]), Mark::tombstone);
  EXPECT_TRUE(table->claim(copy(5000)));
  EXPECT_EQ(table->slots[0], slot_of(copy(5000)));
}

TEST(Table, RefusesWhoeverComesWhenAllSlotsAreTaken) {
  const auto table = std::make_unique<Table>();
  for (std::uint32_t i = 1; i <= slot_count; ++i) ASSERT_TRUE(table->claim(copy(i)));
  EXPECT_FALSE(table->claim(copy(5000)));
  EXPECT_EQ(count_live(table->look()), slot_count);
}

TEST(Table, DropsAllButOneOfTheSlotsThatACopyHas) {
  const auto table = std::make_unique<Table>();
  for (const std::size_t i : {3U, 7U, 9U}) table->slots[i] = slot_of(copy(1));
  table->drop_duplicates(copy(1));
  EXPECT_EQ(count_live(table->look()), 1U);
  EXPECT_EQ(table->slots[3], slot_of(copy(1)));
}

TEST(Table, LosesNobodyWhenManyComeAndGoAtOnce) {
  const auto table = std::make_unique<Table>();
  constexpr std::uint32_t thread_count = 8;
  std::vector<std::thread> threads;
  for (std::uint32_t i = 1; i <= thread_count; ++i) {
    threads.emplace_back([&table, i] {
      for (int round = 0; round < 200; ++round) {
        table->claim(copy(i));
        table->release(copy(i));
        table->settle(copy(i));
      }
      table->claim(copy(i));
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(count_live(table->look()), thread_count);
}

TEST(Slot, TellsIdentityAndMarkApart) {
  const Identity identity = make_identity(0x3fff'fffcU, 0xffff'ffff'ffff'ffffU);
  for (const Mark mark : {Mark::live, Mark::leaving, Mark::dying, Mark::tombstone}) {
    EXPECT_EQ(identity_of(slot_of(identity, mark)), identity);
    EXPECT_EQ(mark_of(slot_of(identity, mark)), mark);
  }
}

}  // namespace
}  // namespace share_data
