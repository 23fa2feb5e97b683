#include "wait.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <sddl.h>

#include "copy.h"
#include "failure.h"

namespace share_data {
namespace {

class WaitTest : public testing::Test {
 protected:
  /// True if what `next` waits for has happened.
  static bool has_ended(const NextChange& next) { return WaitForSingleObject(next.event(), 0) == WAIT_OBJECT_0; }

  std::unique_ptr<Table> memory = std::make_unique<Table>();
  Table& table = *memory;
  const Log log{{}, 0};
};

TEST_F(WaitTest, ToNotifyWakesAllWhoWait) {
  const NextChange first{table};
  const NextChange second{table};
  EXPECT_FALSE(has_ended(first));
  notify(table, log);
  EXPECT_TRUE(has_ended(first));
  EXPECT_TRUE(has_ended(second));
  EXPECT_EQ(table.changes, 1U);
}

TEST_F(WaitTest, AChangeBeforeTheLookWakesNobody) {
  notify(table, log);
  const NextChange next{table};
  EXPECT_EQ(next.changes(), 1U);
  EXPECT_FALSE(has_ended(next));
}

TEST_F(WaitTest, WhoeverIsWokenCountsTheChangeForOneThatWasStoppedBeforeItDid) {
  const NextChange next{table};
  SetEvent(next.event());
  EXPECT_EQ(next.wait({}, INFINITE), next.event());
  EXPECT_EQ(table.changes, 1U);
  EXPECT_FALSE(has_ended(NextChange{table}));
}

TEST_F(WaitTest, WhoeverSeesThatAChangeIsCountedFindsItsEventSet) {
  std::atomic<bool> enough{false};
  std::thread other{[&] {
    while (!enough) notify(table, log);
  }};
  int missed = 0;
  for (int round = 0; round < 1000; ++round) {
    const NextChange next{table};
    while (table.changes == next.changes()) std::this_thread::yield();
    if (!has_ended(next)) ++missed;
  }
  enough = true;
  other.join();
  EXPECT_EQ(missed, 0);
}

TEST_F(WaitTest, EventsOfAnotherTableAreOtherEvents) {
  Table& other = *std::make_unique<Table>().release();  // NOLINT(cppcoreguidelines-owning-memory)
  const std::unique_ptr<Table> guard{&other};
  const NextChange next{table};
  notify(other, log);
  EXPECT_NE(other.id, table.id);
  EXPECT_FALSE(has_ended(next));
}

TEST_F(WaitTest, WhoWakesForAnotherReasonWakesAllIfTheHeaderWasOverwritten) {
  const NextChange next{table};
  const NextChange neighbour{table};
  table.changes = 99;
  EXPECT_EQ(next.wait({}, 0), nullptr);
  EXPECT_TRUE(has_ended(neighbour));
  table.id = 42;
  const NextChange later{table};
  table.id = 43;
  EXPECT_EQ(later.wait({}, 0), nullptr);
  EXPECT_TRUE(has_ended(later));
}

TEST_F(WaitTest, WhoeverIsWokenCountsNoChangeOfAnotherId) {
  const NextChange before{table};
  table.id = 0;  // somebody zeroes the table, and so its numbers begin again, too
  const NextChange after{table};
  SetEvent(before.event());
  EXPECT_EQ(before.wait({}, INFINITE), before.event());
  EXPECT_EQ(table.changes, 0U);
  EXPECT_FALSE(has_ended(after));
}

TEST_F(WaitTest, ANameThatIsTakenByAnotherKindOfObjectStopsNobody) {
  table.id = 0x1234'5678'9abcU;
  const std::string name = fmt::format("Local\\share_data-{:016x}-0", table.id.load());
  const Handle squatter{CreateMutexA(nullptr, FALSE, name.c_str())};
  const NextChange next{table};
  EXPECT_EQ(next.event(), nullptr);
  notify(table, log);
  EXPECT_EQ(table.changes, 1U);
}

TEST_F(WaitTest, WithoutAnEventItIsSoonTimeForALook) {
  table.id = 0x1234'5678'9abdU;
  const std::string name = fmt::format("Local\\share_data-{:016x}-0", table.id.load());
  const Handle squatter{CreateMutexA(nullptr, FALSE, name.c_str())};
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(NextChange{table}.wait({}, 60'000), nullptr);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{30});
}

TEST_F(WaitTest, AChangeWhoseEventCannotBeSetIsNotCounted) {
  table.id = 0x1234'5678'9abeU;
  PSECURITY_DESCRIPTOR closed = nullptr;  // under Wine the owner may do everything
  ConvertStringSecurityDescriptorToSecurityDescriptorW(test::runs_under_wine() ? L"O:SYD:" : L"D:", SDDL_REVISION_1,
                                                       &closed, nullptr);
  SECURITY_ATTRIBUTES attributes{sizeof(attributes), closed, FALSE};
  const std::string name = fmt::format("Local\\share_data-{:016x}-0", table.id.load());
  const Handle others{CreateEventA(&attributes, TRUE, FALSE, name.c_str())};
  LocalFree(closed);
  ASSERT_TRUE(others);
  try {
    notify(table, log);
    FAIL() << "the event could be opened";
  } catch (const Failure& failure) {
    EXPECT_NE(std::string{failure.what()}.find("CreateEvent " + name), std::string::npos) << failure.what();
  }
  EXPECT_EQ(table.changes, 0U);
}

TEST_F(WaitTest, OneEventWakesAllHoweverManyTheyAre) {
  std::vector<NextChange> waiting;
  for (int i = 0; i < 1000; ++i) waiting.emplace_back(table);
  SetEvent(waiting.front().event());  // the one call that notify() makes for them
  EXPECT_TRUE(std::ranges::all_of(waiting, has_ended));
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

TEST_F(WatchTest, ACopyThatLeavesIsNotOneOfThemForItWatchesNobody) {
  for (std::size_t i = 0; i < 12; ++i) {
    const Mark mark = i % 4 == 0 ? Mark::leaving : Mark::running;
    table.slots[i] = word_of(make_identity(4 * 99'999'999, i), mark);
  }
  EXPECT_EQ(watch.follow(table.look(), 12).size(), 10U) << "8 that run, and the 2 among them that leave";
}

TEST_F(WatchTest, SoAreAllWhoHaveJustJoined) {
  for (std::size_t i = 0; i < 12; ++i) table.slots[i] = word_of(make_identity(4 * 99'999'999, i), Mark::notifying);
  EXPECT_EQ(watch.follow(table.look(), 11).size(), 11U);
}

TEST_F(WatchTest, ButNoMoreThanOneCallCanWaitFor) {
  for (std::size_t i = 0; i < 100; ++i) table.slots[i] = word_of(make_identity(4 * 99'999'999, i), Mark::notifying);
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
