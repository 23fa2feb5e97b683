#include "membership.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "copy.h"
#include "failure.h"
#include "wait.h"

namespace share_data {
namespace {

Identity dead(std::uint64_t number) { return make_identity(4 * 99'999'999, number); }

/// This process as a copy, with a table of its own.
class MembershipTest : public testing::Test {
 protected:
  /// True if what `next` waits for has happened.
  static bool has_ended(const NextChange& next) { return WaitForSingleObject(next.event(), 0) == WAIT_OBJECT_0; }

  std::unique_ptr<Table> memory = std::make_unique<Table>();
  Table& table = *memory;
  const Log log{{}, 0};
};

using WaitTest = MembershipTest;

TEST_F(WaitTest, ToNotifyIsOneCallHoweverManyOfAllUsersWaitAndWakesNobodyWhoLooksLater) {
  EXPECT_NE(for_everybody(SYNCHRONIZE), nullptr) << "the system does not take the text";
  std::vector<NextChange> waiting;
  for (int i = 0; i < 1000; ++i) waiting.emplace_back(table);
  EXPECT_TRUE(std::ranges::none_of(waiting, has_ended));
  SetEvent(waiting.front().event());  // the one call that notify() makes for them
  EXPECT_TRUE(std::ranges::all_of(waiting, has_ended));
  notify(table, log);
  EXPECT_EQ(table.changes, 1U);
  const NextChange later{table};
  EXPECT_EQ(later.changes(), 1U);
  const auto other = std::make_unique<Table>();
  notify(*other, log);
  EXPECT_FALSE(has_ended(later)) << "nor anybody who waits for another table";
  notify(table, log);
  EXPECT_TRUE(has_ended(later));
}

TEST_F(WaitTest, WhoeverIsWokenCountsTheChangeForOneThatWasStoppedBeforeItDid) {
  const NextChange next{table};
  SetEvent(next.event());
  EXPECT_EQ(next.wait({}, INFINITE), next.event());
  EXPECT_EQ(table.changes, 1U);
  EXPECT_FALSE(has_ended(NextChange{table}));
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

TEST_F(WaitTest, AChangeWhoseEventCannotBeSetIsNotCounted) {
  table.id = 0x1234'5678'9abeU;
  const auto closed = test::for_nobody();
  SECURITY_ATTRIBUTES attributes{sizeof(attributes), closed.get(), FALSE};
  const std::string name = fmt::format("Local\\share_data-{:016x}-0", table.id.load());
  const Handle others{CreateEventA(&attributes, TRUE, FALSE, name.c_str())};
  ASSERT_TRUE(others);
  EXPECT_THROW(notify(table, log), Failure);
  EXPECT_EQ(table.changes, 0U);
}

class WatchTest : public WaitTest {
 protected:
  /// Copies that are dead already, and so found if they are watched, in the slots from 0 on.
  void put_dead(std::size_t count, Mark mark) {
    for (std::size_t i = 0; i < count; ++i) table.slots[i] = word_of(dead(i), mark);
  }

  Watch watch{table, log};
};

TEST_F(WatchTest, TheNearestEightBelowAreWatchedNotCountingThoseThatLeave) {
  put_dead(12, Mark::running);
  const auto ended = watch.follow(table.look(), 4);  // 3 to 0, and then from 11 down
  ASSERT_EQ(ended.size(), 8U);
  EXPECT_EQ(ended.front(), dead(3));
  EXPECT_EQ(ended.back(), dead(8));
  for (const std::size_t i : {0U, 4U, 8U}) table.slots[i] = word_of(dead(i), Mark::leaving);
  EXPECT_EQ(watch.follow(table.look(), 12).size(), 10U) << "8 that run, and the 2 among them that leave";
}

TEST_F(WatchTest, SoAreAllWhoHaveJustJoinedButNoMoreThanOneCallCanWaitFor) {
  put_dead(12, Mark::notifying);
  EXPECT_EQ(watch.follow(table.look(), 11).size(), 11U);
  put_dead(100, Mark::notifying);
  EXPECT_EQ(watch.follow(table.look(), 100).size(), MAXIMUM_WAIT_OBJECTS - 3U)
      << "the event, the request to leave and the line are waited for, too";
}

TEST_F(WatchTest, ADeathEndsTheWaitAndIsReportedOnceEvenIfTheCopyIsInTwoSlotsOrInNone) {
  const test::Folder folder;
  for (const bool taken_out : {false, true}) {
    const test::Copy copy{folder.exe(), test::Start{.suspended = true}};
    const Identity victim = copy.identity();
    table.slots[0] = word_of(victim);
    table.slots[1] = word_of(victim);
    EXPECT_TRUE(watch.follow(table.look(), 2).empty());
    copy.terminate();
    watch.wait(nullptr);
    if (taken_out) table.take_out(victim, log);
    EXPECT_EQ(watch.follow(table.look(), 2), std::vector{victim});
    table.take_out(victim, log);
    EXPECT_TRUE(watch.follow(table.look(), 2).empty()) << "once is enough";
  }
}

TEST_F(MembershipTest, NotifiesAllOnceWhenItJoinsAndOnceWhenItLeaves) {
  for (const auto max : {std::optional<std::uint32_t>{}, std::optional{1U}}) {
    const std::uint32_t before = table.changes;
    {
      Membership membership{table, log};
      EXPECT_TRUE(membership.join(max));
      EXPECT_EQ(table.changes, before + 1);
      EXPECT_EQ(table.slots[0], word_of(own_identity()));
      EXPECT_EQ(table.plain, 1);
      const NextChange next{table};
      EXPECT_EQ(membership.leave().live, 0U);
      EXPECT_EQ(WaitForSingleObject(next.event(), 0), WAIT_OBJECT_0);
      EXPECT_EQ(table.slots[0], word_of(own_identity(), Mark::leaving));
      EXPECT_EQ(table.left[0], word_of(own_identity()));
    }
    EXPECT_EQ(table.changes, before + 2);
    EXPECT_EQ(table.plain, 0) << "it leaves only once";
    table.take_out(own_identity(), log);
  }
}

TEST_F(MembershipTest, TheFirstLookCountsNoneOfTheDead) {
  for (std::uint32_t i = 0; i < 12; ++i) table.slots[i] = word_of(dead(i));
  Membership membership{table, log};
  EXPECT_TRUE(membership.join(std::nullopt));
  EXPECT_EQ(membership.look().live, 1U);
}

TEST_F(MembershipTest, TheDeadMakeRoomIfAllSlotsAreTaken) {
  for (std::uint32_t i = 0; i < slot_count; ++i) ASSERT_EQ(table.claim(word_of(dead(i)), log), i);
  EXPECT_FALSE(table.claim(word_of(dead(slot_count)), log));
  EXPECT_EQ(table.look().live, slot_count);
  Membership membership{table, log};
  EXPECT_TRUE(membership.join(std::nullopt));
  EXPECT_EQ(table.look().live, 1U);
  EXPECT_EQ(table.changes, 2U) << "all are notified of the dead, too";
}

/// A copy that misses a change sleeps for ever, and so does this test.
TEST_F(MembershipTest, AChangeWhileItLooksEndsTheWait) {
  constexpr std::uint32_t rounds = 1000;
  constexpr std::uint32_t index = 100;  // the copy in slot 0 does not watch it
  std::atomic<std::uint32_t> seen{0};
  Membership membership{table, log};
  ASSERT_TRUE(membership.join(std::nullopt));
  for (std::uint32_t i = slot_count - 8; i < slot_count; ++i) table.slots[i] = word_of(own_identity());
  std::thread other{[&] {
    for (std::uint32_t round = 1; round <= rounds; ++round) {
      const NextChange next{table};
      for (std::uint32_t i = 0; i < round % 64 * 16; ++i) (void)seen.load();  // meet each part of the look
      table.slots[index] = word_of(dead(round));
      next.notify(log);
      while (seen != round) std::this_thread::yield();
    }
  }};
  for (std::uint32_t round = 1; round <= rounds; ++round) {
    while (membership.look().slots[index] != word_of(dead(round))) membership.wait_for_change(nullptr);
    seen = round;
  }
  other.join();
}

}  // namespace
}  // namespace share_data
