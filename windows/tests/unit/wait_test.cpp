#include "wait.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "copy.h"

namespace share_data {
namespace {

class WaitTest : public testing::Test {
 protected:
  /// True if what `generation` waits for has happened.
  static bool has_ended(const Generation& generation) {
    return WaitForSingleObject(generation.event(), 0) == WAIT_OBJECT_0;
  }

  std::unique_ptr<Table> memory = std::make_unique<Table>();
  Table& table = *memory;
  const Log log{{}, 0};
};

TEST_F(WaitTest, ToTellWakesAllWhoWait) {
  const Generation first{table};
  const Generation second{table};
  EXPECT_FALSE(has_ended(first));
  tell(table, log);
  EXPECT_TRUE(has_ended(first));
  EXPECT_TRUE(has_ended(second));
  EXPECT_EQ(table.changes, 1U);
}

TEST_F(WaitTest, WhatIsToldBeforeTheLookWakesNobody) {
  tell(table, log);
  const Generation generation{table};
  EXPECT_EQ(generation.number(), 1U);
  EXPECT_FALSE(has_ended(generation));
}

TEST_F(WaitTest, WhoeverIsWokenMovesOnForOneThatWasStoppedBeforeItDid) {
  const Generation generation{table};
  SetEvent(generation.event());
  EXPECT_EQ(generation.wait({}, INFINITE), generation.event());
  EXPECT_EQ(table.changes, 1U);
  EXPECT_FALSE(has_ended(Generation{table}));
}

TEST_F(WaitTest, WhoeverSeesThatAGenerationIsOverFindsItsEventSet) {
  std::atomic<bool> enough{false};
  std::thread other{[&] {
    while (!enough) tell(table, log);
  }};
  int missed = 0;
  for (int round = 0; round < 1000; ++round) {
    const Generation generation{table};
    while (table.changes == generation.number()) std::this_thread::yield();
    if (!has_ended(generation)) ++missed;
  }
  enough = true;
  other.join();
  EXPECT_EQ(missed, 0);
}

TEST_F(WaitTest, EventsOfAnotherTableAreOtherEvents) {
  Table& other = *std::make_unique<Table>().release();  // NOLINT(cppcoreguidelines-owning-memory)
  const std::unique_ptr<Table> guard{&other};
  const Generation generation{table};
  tell(other, log);
  EXPECT_NE(other.id, table.id);
  EXPECT_FALSE(has_ended(generation));
}

TEST_F(WaitTest, WhoWakesForAnotherReasonWakesAllIfTheHeaderWasOverwritten) {
  const Generation generation{table};
  const Generation neighbour{table};
  table.changes = 99;
  EXPECT_EQ(generation.wait({}, 0), nullptr);
  EXPECT_TRUE(has_ended(neighbour));
  table.id = 42;
  const Generation next{table};
  table.id = 43;
  EXPECT_EQ(next.wait({}, 0), nullptr);
  EXPECT_TRUE(has_ended(next));
}

TEST_F(WaitTest, WhoeverIsWokenMovesOnNoNumberOfAnotherId) {
  const Generation before{table};
  table.id = 0;  // somebody zeroes the table, and so its numbers begin again, too
  const Generation after{table};
  SetEvent(before.event());
  EXPECT_EQ(before.wait({}, INFINITE), before.event());
  EXPECT_EQ(table.changes, 0U);
  EXPECT_FALSE(has_ended(after));
}

TEST_F(WaitTest, ANameThatIsTakenByAnotherKindOfObjectStopsNobody) {
  table.id = 0x1234'5678'9abcU;
  const std::string name = fmt::format("Local\\share_data-{:016x}-0", table.id.load());
  const Handle squatter{CreateMutexA(nullptr, FALSE, name.c_str())};
  const Generation generation{table};
  EXPECT_EQ(generation.event(), nullptr);
  tell(table, log);
  EXPECT_EQ(table.changes, 1U);
}

TEST_F(WaitTest, WithoutAnEventItIsSoonTimeForALook) {
  table.id = 0x1234'5678'9abdU;
  const std::string name = fmt::format("Local\\share_data-{:016x}-0", table.id.load());
  const Handle squatter{CreateMutexA(nullptr, FALSE, name.c_str())};
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(Generation{table}.wait({}, 60'000), nullptr);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{30});
}

TEST_F(WaitTest, EverybodyMayUseAnEvent) {
  EXPECT_NE(for_everybody(SYNCHRONIZE), nullptr) << "the system does not take the text";
}

/// Watches real processes.
class WatchTest : public WaitTest {
 protected:
  void start(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      processes.emplace_back(folder.exe(), test::Start{.suspended = true});
      table.slots[2 * i] = word_of(identity(i));
    }
  }
  [[nodiscard]] Identity identity(std::size_t i) const {
    return identity_of_pid(processes[i].pid()).value_or(Identity::nobody);
  }

  const test::Folder folder;
  std::deque<test::Copy> processes;
  Watch watch{table, log};
};

TEST_F(WatchTest, TheNearestEightBelowAreWatched) {
  start(12);
  for (std::size_t i = 0; i < 12; ++i) {
    table.slots[2 * i] = word_of(make_identity(4 * 99'999'999, i));  // dead, and so found if it is watched
  }
  const auto ended = watch.follow(table.look(), 4);  // slots 2 and 0, and then from 22 down
  ASSERT_EQ(ended.size(), 8U);
  EXPECT_EQ(ended.front(), make_identity(4 * 99'999'999, 1));
  EXPECT_EQ(ended.back(), make_identity(4 * 99'999'999, 6));
}

TEST_F(WatchTest, SoAreAllWhoHaveJustJoined) {
  for (std::size_t i = 0; i < 12; ++i) table.slots[i] = word_of(make_identity(4 * 99'999'999, i), Mark::joining);
  EXPECT_EQ(watch.follow(table.look(), 11).size(), 11U);
}

TEST_F(WatchTest, ButNoMoreThanOneCallCanWaitFor) {
  for (std::size_t i = 0; i < 100; ++i) table.slots[i] = word_of(make_identity(4 * 99'999'999, i), Mark::joining);
  EXPECT_EQ(watch.follow(table.look(), 100).size(), MAXIMUM_WAIT_OBJECTS - 3U)
      << "the event, the request to leave and the line are waited for, too";
}

TEST_F(WatchTest, ACopyInTwoSlotsIsReportedOnce) {
  start(1);
  const Identity victim = identity(0);
  table.slots[1] = word_of(victim);
  EXPECT_TRUE(watch.follow(table.look(), 2).empty());
  processes[0].terminate();
  EXPECT_EQ(watch.follow(table.look(), 2), std::vector{victim});
}

TEST_F(WatchTest, AKilledOneIsReportedEvenIfItIsInNoSlotAnyMore) {
  start(2);
  const Identity victim = identity(0);
  EXPECT_TRUE(watch.follow(table.look(), 2).empty());
  processes[0].terminate();
  table.take_out(victim, log);
  EXPECT_EQ(watch.follow(table.look(), 2), std::vector{victim});
  EXPECT_TRUE(watch.follow(table.look(), 2).empty()) << "once is enough";
}

TEST_F(WatchTest, ADeathEndsTheWait) {
  start(2);
  EXPECT_TRUE(watch.follow(table.look(), 2).empty());
  processes[0].terminate();
  watch.wait(nullptr);
}

}  // namespace
}  // namespace share_data
