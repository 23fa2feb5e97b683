#include "table.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "bystander.h"
#include "waiting.h"

namespace share_data::test {
namespace {

class TableTest : public testing::Test {
 protected:
  static Identity somebody(std::uint32_t number) { return make_identity(1000 + number, 77); }

  void fill() {
    for (std::uint32_t i = 0; i < slot_count; ++i) ASSERT_TRUE(table.claim(somebody(i)));
  }

  std::unique_ptr<Table> memory = std::make_unique<Table>();
  Table& table = *memory;
};

TEST_F(TableTest, ZeroBytesAreAnEmptyTable) {
  EXPECT_EQ(table.occupied(), 0U);
  EXPECT_FALSE(table.anybody_alive());
}

TEST_F(TableTest, AClaimOccupiesOneSlotAndAReleaseFreesIt) {
  EXPECT_TRUE(table.claim(somebody(1)));
  EXPECT_TRUE(table.claim(somebody(2)));
  EXPECT_EQ(table.occupied(), 2U);
  EXPECT_TRUE(table.release(somebody(1)));
  EXPECT_EQ(table.occupied(), 1U);
  EXPECT_FALSE(table.release(somebody(1)));
  EXPECT_TRUE(table.release(somebody(2)));
  EXPECT_EQ(table.look(), Slots{});
}

TEST_F(TableTest, ABuriedCopyIsATombstoneAndDoesNotCount) {
  ASSERT_TRUE(table.claim(somebody(1)));
  EXPECT_TRUE(table.bury(somebody(1)));
  EXPECT_EQ(table.look().front(), tombstone_of(somebody(1)));
  EXPECT_EQ(table.occupied(), 0U);
  EXPECT_FALSE(table.bury(somebody(1))) << "once is enough";
  EXPECT_FALSE(table.release(somebody(1))) << "a tombstone stays";
}

TEST_F(TableTest, NobodyElseIsTouched) {
  ASSERT_TRUE(table.claim(make_identity(5, 1)));
  EXPECT_FALSE(table.release(make_identity(5, 2))) << "the same pid, started at another time";
  EXPECT_FALSE(table.bury(make_identity(5, 2)));
  EXPECT_EQ(table.occupied(), 1U);
}

TEST_F(TableTest, TombstonesAreUsedLast) {
  ASSERT_TRUE(table.claim(somebody(1)));
  ASSERT_TRUE(table.bury(somebody(1)));
  ASSERT_TRUE(table.claim(somebody(2)));
  EXPECT_EQ(table.look()[0], tombstone_of(somebody(1)));
  EXPECT_EQ(table.look()[1], slot_of(somebody(2)));
}

TEST_F(TableTest, AFullTableTakesNobodyUntilSomebodyGoes) {
  fill();
  EXPECT_EQ(table.occupied(), slot_count);
  EXPECT_FALSE(table.claim(somebody(slot_count)));
  ASSERT_TRUE(table.bury(somebody(3)));
  EXPECT_TRUE(table.claim(somebody(slot_count))) << "a tombstone is a free place";
  EXPECT_FALSE(table.claim(somebody(slot_count + 1)));
  ASSERT_TRUE(table.release(somebody(7)));
  EXPECT_TRUE(table.claim(somebody(slot_count + 1)));
}

TEST_F(TableTest, TheDeadAreBuriedAndTheLivingAreNot) {
  const Bystander living;
  const Identity dead = identity_of_the_dead();
  ASSERT_TRUE(table.claim(living.identity()));
  ASSERT_TRUE(table.claim(dead));
  EXPECT_TRUE(table.bury_dead());
  EXPECT_EQ(table.look()[0], slot_of(living.identity()));
  EXPECT_EQ(table.look()[1], tombstone_of(dead));
  EXPECT_FALSE(table.bury_dead());
  EXPECT_TRUE(table.anybody_alive());
}

TEST_F(TableTest, OnlyTheLivingAreAlive) {
  ASSERT_TRUE(table.claim(identity_of_the_dead()));
  EXPECT_EQ(table.occupied(), 1U);
  EXPECT_FALSE(table.anybody_alive());
  ASSERT_TRUE(table.claim(identity_of(getpid())));
  EXPECT_TRUE(table.anybody_alive());
}

TEST_F(TableTest, EveryAnnouncementEndsAWait) {
  table.wait_for_change(table.changes + 1);  // it has changed already: no sleep
  const std::uint32_t seen = table.changes;
  std::atomic<bool> woken{false};
  std::thread sleeper{[&] {
    while (table.changes == seen) table.wait_for_change(seen);
    woken = true;
  }};
  EXPECT_FALSE(woken);
  table.announce();
  EXPECT_TRUE(eventually([&] { return woken.load(); }));
  sleeper.join();
}

TEST_F(TableTest, ClaimsAtTheSameTimeGetDifferentSlots) {
  constexpr std::uint32_t threads = 8;
  constexpr std::uint32_t each = slot_count / threads;
  std::vector<std::jthread> claimers;
  for (std::uint32_t t = 0; t < threads; ++t) {
    claimers.emplace_back([this, t] {
      for (std::uint32_t i = 0; i < each; ++i) EXPECT_TRUE(table.claim(somebody(t * each + i)));
    });
  }
  claimers.clear();
  Slots slots = table.look();
  std::ranges::sort(slots);
  EXPECT_EQ(std::ranges::adjacent_find(slots), slots.end());
  EXPECT_EQ(table.occupied(), slot_count);
}

TEST_F(TableTest, ManyWhoComeAndGoAtTheSameTimeLeaveNothing) {
  std::vector<std::jthread> visitors;
  for (std::uint32_t t = 0; t < 4; ++t) {
    visitors.emplace_back([this, t] {
      for (std::uint32_t i = 0; i < 5000; ++i) {
        const Identity self = somebody(t * 5000 + i);
        EXPECT_TRUE(table.claim(self));
        EXPECT_TRUE(i % 3 == 0 ? table.bury(self) : table.release(self));
      }
    });
  }
  visitors.clear();
  EXPECT_EQ(table.occupied(), 0U);
}

}  // namespace
}  // namespace share_data::test
