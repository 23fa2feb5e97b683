#include "table.h"

#include <memory>

#include "child.h"

namespace share_data::test {
namespace {

class TableTest : public testing::Test {
 protected:
  void put(std::uint32_t index, Word owner, Word leaver = 0) {
    occupy(table.slots[index], owner);
    table.slots[index].leaver = leaver;
  }

  [[nodiscard]] std::uint32_t live() const { return table.look().live; }

  std::unique_ptr<Table> memory = std::make_unique<Table>();
  Table& table = *memory;
  const Log log{{}, 0};
};

TEST_F(TableTest, AnOwnerWordSaysWhoCounts) {
  EXPECT_EQ(live(), 0U) << "zero bytes are an empty table";
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
  put(3, joining_word(5));
  const View view = table.look();
  EXPECT_EQ(view.live, 1U) << "not yet";
  EXPECT_EQ(view.joining, 1U);
  EXPECT_EQ(view.marked, 1U);
  EXPECT_EQ(view.claimed, 4U);
  table.slots[3].owner = FUTEX_OWNER_DIED;  // what the kernel makes of it
  EXPECT_EQ(table.look().joining, 0U);
  EXPECT_EQ(table.look().marked, 2U);
}

TEST_F(TableTest, MarkedSlotsAreFreedAfterAllCopiesAreNotifiedUnlessTheyHaveChangedSinceTheLook) {
  put(0, running_word(5));
  table.free_marked(table.look(), log);
  EXPECT_EQ(table.changes, 0U) << "nothing is marked";
  put(1, marked_word);
  put(2, FUTEX_OWNER_DIED);
  put(3, marked_word);
  const View before = table.look();
  put(0, marked_word);
  put(3, joined_word(6));
  table.free_marked(before, log);
  EXPECT_EQ(table.changes, 1U);
  EXPECT_EQ(table.slots[0].owner, marked_word) << "the others may have looked before this death";
  EXPECT_EQ(table.slots[1].owner, 0U);
  EXPECT_EQ(table.slots[2].owner, 0U);
  EXPECT_EQ(table.slots[3].owner, joined_word(6)) << "it was taken again";
}

}  // namespace
}  // namespace share_data::test
