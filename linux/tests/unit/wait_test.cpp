// Which copies a copy watches while it sleeps.
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <sstream>
#include <string>

#include "child.h"

namespace share_data::test {
namespace {

class WaitTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_futex_waitv()) GTEST_SKIP() << "this kernel has no futex_waitv, or a sandbox forbids it";
  }

  void fill(std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) table.slots[i].owner = running_word(1000 + i);
  }

  /// The slots that the copy in slot `own` watches, as its explanation says. By the time it would sleep, the words
  /// have changed, so it does not.
  [[nodiscard]] std::set<std::uint32_t> watched_by(std::uint32_t own) const {
    const View view = table.look();
    auto other = std::make_unique<Table>();
    const Log log{{.explain = true}, 0};
    const FileDescriptor saved{dup(STDERR_FILENO)};
    const FileDescriptor file{memfd_create("explanation", 0)};
    dup2(file.get(), STDERR_FILENO);
    wait_for_change(*other, view, own, log);
    dup2(saved.get(), STDERR_FILENO);
    std::string text(32768, '\0');
    (void)!pread(file.get(), text.data(), text.size(), 0);
    const std::string before = "the kernel marks slot ";  // 4 or 17 or 23, or a signal comes
    std::istringstream list{text.substr(text.find(before) + before.size())};
    std::set<std::uint32_t> slots;
    std::string separator;
    for (std::uint32_t slot = 0; list >> slot; list >> separator) slots.insert(slot);
    return slots;
  }

  std::unique_ptr<Table> memory = std::make_unique<Table>();
  Table& table = *memory;
};

TEST_F(WaitTest, AsLongAsAllWordsFitEachWatchesAllOthers) {
  for (const std::uint32_t count : {2U, 20U, 127U}) {
    fill(count);
    for (const std::uint32_t own : {0U, count / 2, count - 1}) {
      EXPECT_EQ(watched_by(own).size(), count - 1);
      EXPECT_FALSE(watched_by(own).contains(own));
    }
  }
}

TEST_F(WaitTest, InALargeCrowdEachWatchesItsNearestAndIsWatchedByMany) {
  fill(128);
  EXPECT_LT(watched_by(5).size(), 127U);
  fill(1000);
  std::array<int, 1000> watchers{};
  for (std::uint32_t own = 0; own < watchers.size(); ++own) {
    const std::set<std::uint32_t> watched = watched_by(own);
    EXPECT_LE(watched.size(), 60U);
    EXPECT_FALSE(watched.contains(own));
    for (std::uint32_t distance = 1; distance < 8; ++distance) {
      EXPECT_TRUE(watched.contains((1000 + own - distance) % 1000)) << own << " " << distance;
    }
    for (const std::uint32_t index : watched) ++watchers.at(index);
  }
  EXPECT_GE(*std::ranges::min_element(watchers), 25);
  // If the 100 copies above all are stopped, others see the death all the same.
  EXPECT_GT(std::ranges::count_if(watched_by(999), [](std::uint32_t slot) { return slot < 899; }), 2);
}

TEST_F(WaitTest, InALargeCrowdAllWatchThoseWhoHaveJustJoinedAsFarAsTheirWordsFit) {
  fill(1000);
  const std::set newcomers{0U, 499U, 500U, 987U};
  for (const std::uint32_t newcomer : newcomers) occupy(table.slots[newcomer], joined_word(5));
  for (const std::uint32_t own : {1U, 300U, 999U}) EXPECT_TRUE(std::ranges::includes(watched_by(own), newcomers));
  for (std::uint32_t i = 0; i < 1000; ++i) occupy(table.slots[i], joined_word(5));
  EXPECT_EQ(watched_by(500).size(), 126U);
}

TEST_F(WaitTest, ACopyThatIsJoiningIsNotWatchedAndOneThatLeavesIs) {
  fill(3);
  table.slots[1].owner = joining_word(1001);
  table.slots[2].leaver = 1002;
  EXPECT_EQ(watched_by(0), std::set{2U});
}

}  // namespace
}  // namespace share_data::test
