#include "table.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "identity.h"

namespace share_data {
namespace {

Identity copy(std::uint32_t number) { return make_identity(4 * number, 1000 + number); }

class TableTest : public testing::Test {
 protected:
  std::unique_ptr<Table> memory = std::make_unique<Table>();
  Table& table = *memory;
  const Log log{{}, 0};
};

TEST_F(TableTest, ALookTakesEverySlotAndAWordSaysWhoCounts) {
  std::vector<Word> expected(slot_count);
  EXPECT_EQ(table.look().slots, expected);
  table.slots[3] = expected[3] = word_of(copy(1), Mark::notifying);
  EXPECT_EQ(table.look().live, 1U) << "before all are notified";
  table.slots[slot_count - 1] = word_of(copy(2));
  EXPECT_EQ(table.look().live, 2U);
  for (const Mark mark : {Mark::joining, Mark::leaving, Mark{5}, Mark{7}}) {
    table.slots[slot_count - 1] = expected.back() = word_of(copy(2), mark);
    EXPECT_EQ(table.look().live, 1U) << to_text(expected.back());
    EXPECT_EQ(table.look().slots, expected);
  }
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

TEST_F(TableTest, WhoHasLeftIsKnownUntilTooManyHaveAndThenNobodyIsCalledKilled) {
  const View before = table.look();
  table.leave(0, copy(1), log);
  for (std::uint32_t i = 1; i < left_size / 2; ++i) table.leave(0, copy(100), log);
  EXPECT_EQ(table.has_left(copy(1), before), true);
  EXPECT_EQ(table.has_left(copy(2), before), false);
  table.slots[7] = word_of(copy(2), Mark::leaving);
  EXPECT_EQ(table.has_left(copy(2), before), true) << "its slot says so";
  for (std::uint32_t i = 0; i <= left_size / 2; ++i) table.leave(0, copy(101), log);
  EXPECT_EQ(table.has_left(copy(1), before), std::nullopt);
  EXPECT_EQ(table.has_left(copy(101), before), true);
  EXPECT_EQ(table.has_left(copy(1), table.look()), false);
}

TEST(Word, TellsIdentityAndMarkApartAndIsShownAsItsParts) {
  const Identity identity = make_identity(0x1fff'fffcU, 0xffff'ffff'ffff'ffffU);
  std::string text = to_text(0);
  for (const Mark mark : {Mark::running, Mark::joining, Mark::notifying, Mark::leaving, Mark{6}}) {
    EXPECT_EQ(identity_of(word_of(identity, mark)), identity);
    EXPECT_EQ(mark_of(word_of(identity, mark)), mark);
    text += " " + to_text(word_of(identity, mark));
  }
  EXPECT_EQ(text, "0 536870908 536870908|joining 536870908|notifying 536870908|leaving 536870908|garbage");
}

TEST(Identity, OfThisProcessIsAliveAndOfAnotherOneThatHadThePidOrOfGarbageIsDead) {
  const Identity self = own_identity();
  EXPECT_EQ(pid_of(self), GetCurrentProcessId());
  EXPECT_TRUE(is_alive(self));
  EXPECT_FALSE(is_guarded(self));
  EXPECT_TRUE(is_guarded(own_identity(false)));
  EXPECT_TRUE(is_alive(own_identity(false)));
  const auto other = Identity{static_cast<std::uint64_t>(self) ^ 1U};
  EXPECT_EQ(pid_of(other), GetCurrentProcessId());
  EXPECT_FALSE(is_alive(other));
  EXPECT_FALSE(is_alive(Identity::nobody));
  EXPECT_FALSE(is_alive(Identity{1}));
  EXPECT_FALSE(is_alive(Identity{0xffff'ffff'ffff'ffffU}));
  EXPECT_FALSE(is_alive(make_identity(0x1fff'fffcU, 7)));
  EXPECT_FALSE(is_alive(Identity{static_cast<std::uint64_t>(self) | std::uint64_t{2} << 32U}));
}

}  // namespace
}  // namespace share_data
