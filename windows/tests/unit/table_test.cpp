#include "table.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace share_data {
namespace {

Identity copy(std::uint32_t number) { return make_identity(4 * number, 1000 + number); }

class TableTest : public testing::Test {
 protected:
  [[nodiscard]] std::uint32_t live() const { return table.look().live; }

  std::unique_ptr<Table> memory = std::make_unique<Table>();
  Table& table = *memory;
  const Log log{{}, 0};
};

TEST_F(TableTest, ZeroBytesAreAnEmptyTable) {
  EXPECT_EQ(live(), 0U);
  EXPECT_EQ(table.look().slots, std::vector<Word>(slot_count));
}

TEST_F(TableTest, AWordSaysWhoCounts) {
  table.slots[0] = word_of(copy(1), Mark::notifying);
  EXPECT_EQ(live(), 1U) << "before all are notified";
  table.slots[1] = word_of(copy(2));
  EXPECT_EQ(live(), 2U);
  for (const Mark mark : {Mark::joining, Mark::leaving, Mark{5}, Mark{7}}) {
    table.slots[1] = word_of(copy(2), mark);
    EXPECT_EQ(live(), 1U) << to_text(table.slots[1]);
  }
}

TEST_F(TableTest, ALookTakesEverySlot) {
  table.slots[3] = word_of(copy(1));
  table.slots[slot_count - 1] = word_of(copy(2), Mark::leaving);
  std::vector<Word> expected(slot_count);
  expected[3] = word_of(copy(1));
  expected.back() = word_of(copy(2), Mark::leaving);
  EXPECT_EQ(table.look().slots, expected);
}

TEST_F(TableTest, AWordIsReplacedOnlyIfItIsWhatWasSeen) {
  table.slots[0] = word_of(copy(1));
  EXPECT_FALSE(table.replace(0, word_of(copy(2)), 0, log));
  EXPECT_EQ(table.slots[0], word_of(copy(1)));
  EXPECT_TRUE(table.replace(0, word_of(copy(1)), word_of(copy(1), Mark::leaving), log));
  EXPECT_EQ(table.slots[0], word_of(copy(1), Mark::leaving));
}

TEST_F(TableTest, TheSlotsOfACopyThatHasEndedBecomeFree) {
  table.slots[0] = word_of(copy(1));
  table.slots[1] = word_of(copy(1), Mark::leaving);
  table.slots[2] = word_of(copy(1), Mark::joining);
  table.slots[3] = word_of(Identity::nobody, Mark{5});
  table.slots[4] = word_of(copy(2), Mark::notifying);
  table.take_out(copy(1), log);
  table.take_out(Identity::nobody, log);
  std::vector<Word> expected(slot_count);
  expected[4] = word_of(copy(2), Mark::notifying);
  EXPECT_EQ(table.look().slots, expected);
}

TEST_F(TableTest, HasAsManySlotsAsItSays) {
  for (std::uint32_t i = 0; i < slot_count; ++i) ASSERT_EQ(table.claim(word_of(copy(i + 1)), log), i);
  EXPECT_FALSE(table.claim(word_of(copy(5001)), log));
  EXPECT_EQ(live(), slot_count);
}

TEST_F(TableTest, WhoHasLeftAndWhoHasNotIsKnownHoweverOftenTheSlotWasUsedSince) {
  table.slots[0] = word_of(copy(1));
  table.slots[1] = word_of(copy(2));
  const View before = table.look();
  table.say_that_it_leaves(copy(1), log);
  for (std::uint32_t i = 0; i < left_size / 2 - 1; ++i) table.say_that_it_leaves(copy(100 + i), log);
  EXPECT_EQ(table.has_left(copy(1), before), true);
  EXPECT_EQ(table.has_left(copy(2), before), false);
}

TEST_F(TableTest, IfTooManyHaveLeftNobodyIsCalledKilled) {
  const View before = table.look();
  table.say_that_it_leaves(copy(1), log);
  for (std::uint32_t i = 0; i < left_size; ++i) table.say_that_it_leaves(copy(100 + i), log);
  EXPECT_EQ(table.has_left(copy(1), before), std::nullopt);
  EXPECT_EQ(table.has_left(copy(100), before), true);
  EXPECT_EQ(table.has_left(copy(1), table.look()), false);
}

TEST_F(TableTest, OfThoseWhoWantASlotAtTheSameTimeOneGetsIt) {
  constexpr std::uint32_t thread_count = 8;
  std::vector<std::thread> threads;
  for (std::uint32_t i = 1; i <= thread_count; ++i) {
    threads.emplace_back([this, i] {
      for (int round = 0; round < 200; ++round) {
        const auto slot = table.claim(word_of(copy(i)), log);
        if (slot) table.replace(*slot, word_of(copy(i)), 0, log);
      }
      (void)table.claim(word_of(copy(i)), log);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(live(), thread_count);
}

TEST(Word, TellsIdentityAndMarkApart) {
  const Identity identity = make_identity(0x1fff'fffcU, 0xffff'ffff'ffff'ffffU);
  for (const Mark mark : {Mark::running, Mark::joining, Mark::notifying, Mark::leaving}) {
    EXPECT_EQ(identity_of(word_of(identity, mark)), identity);
    EXPECT_EQ(mark_of(word_of(identity, mark)), mark);
  }
}

TEST(Word, IsShownAsItsParts) {
  EXPECT_EQ(to_text(0), "0");
  EXPECT_EQ(to_text(word_of(copy(3))), "12");
  EXPECT_EQ(to_text(word_of(copy(3), Mark::joining)), "12|joining");
  EXPECT_EQ(to_text(word_of(copy(3), Mark::leaving)), "12|leaving");
  EXPECT_EQ(to_text(word_of(copy(3), Mark{6})), "12|garbage");
}

}  // namespace
}  // namespace share_data
