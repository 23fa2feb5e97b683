#include "membership.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "copy.h"
#include "failure.h"
#include "stop_request.h"

namespace share_data {
namespace {

Identity dead(std::uint32_t number) { return make_identity(4 * 99'999'999, number); }

/// This process as a copy, with a table of its own.
class MembershipTest : public testing::Test {
 protected:
  std::unique_ptr<Table> memory = std::make_unique<Table>();
  Table& table = *memory;
  const Log log{{}, 0};
};

TEST_F(MembershipTest, LeavesOnlyOnce) {
  {
    Membership membership{table, log};
    EXPECT_TRUE(membership.join(std::nullopt));
    EXPECT_EQ(table.plain, 1);
    EXPECT_EQ(membership.leave().plain, 0);
  }
  EXPECT_EQ(table.plain, 0);
}

TEST_F(MembershipTest, UnderALimitItEndsUpAsARunningCopy) {
  Membership membership{table, log};
  EXPECT_TRUE(membership.join(1));
  EXPECT_EQ(table.slots[0], word_of(own_identity()));
}

TEST_F(MembershipTest, NotifiesAllOnceWhenItJoinsAndOnceWhenItLeaves) {
  Membership membership{table, log};
  EXPECT_TRUE(membership.join(std::nullopt));
  EXPECT_EQ(table.changes, 1U);
  const NextChange next{table};
  EXPECT_EQ(membership.leave().live, 0U);
  EXPECT_EQ(table.changes, 2U);
  EXPECT_EQ(WaitForSingleObject(next.event(), 0), WAIT_OBJECT_0);
  EXPECT_EQ(table.slots[0], word_of(own_identity(), Mark::leaving));
  EXPECT_EQ(table.left[0], word_of(own_identity()));
}

TEST_F(MembershipTest, ARequestToLeaveEndsTheWaitForAPlace) {
  const test::Folder folder;
  const test::Copy other{folder.exe(), test::Start{.suspended = true}};
  table.slots[7] = word_of(identity_of_pid(other.pid()).value_or(Identity::nobody), Mark::joining);
  stop_request::start_catching(stop_request::Duration{0.1});
  Membership membership{table, log};
  EXPECT_FALSE(membership.join(1));
  EXPECT_EQ(table.slots[0], 0U);
}

TEST_F(MembershipTest, WhoIsRefusedNotifiesNobodyAndLeavesNothingBehind) {
  const test::Folder folder;
  const test::Copy other{folder.exe(), test::Start{.suspended = true}};
  table.slots[5] = word_of(identity_of_pid(other.pid()).value_or(Identity::nobody));
  const std::vector<Word> before = table.look().slots;
  {
    Membership membership{table, log};
    EXPECT_THROW((void)membership.join(1), Failure);
  }
  EXPECT_EQ(table.look().slots, before);
  EXPECT_EQ(table.plain, 0);
  EXPECT_EQ(table.changes, 0U);
}

TEST_F(MembershipTest, UnderALimitItWaitsForOneThatIsJoining) {
  const test::Folder folder;
  const test::Copy other{folder.exe(), test::Start{.suspended = true}};
  table.slots[7] = word_of(identity_of_pid(other.pid()).value_or(Identity::nobody), Mark::joining);
  std::atomic<bool> joined{false};
  std::thread joining{[&] {
    Membership membership{table, log};
    joined = membership.join(1);
  }};
  Sleep(100);
  EXPECT_FALSE(joined);
  EXPECT_EQ(table.slots[0], 0U);
  table.slots[7] = 0;
  joining.join();
  EXPECT_TRUE(joined);
}

TEST_F(MembershipTest, TheDeadMakeRoomIfAllSlotsAreTaken) {
  for (std::uint32_t i = 0; i < slot_count; ++i) table.slots[i] = word_of(dead(i));
  Membership membership{table, log};
  EXPECT_TRUE(membership.join(std::nullopt));
  EXPECT_EQ(table.look().live, 1U);
  EXPECT_EQ(table.changes, 2U) << "all are notified of the dead, too";
}

TEST_F(MembershipTest, AChangeWhileItLooksEndsTheWait) {
  constexpr std::uint32_t rounds = 1000;
  constexpr std::uint32_t index = 100;  // the copy in slot 0 does not watch it
  const auto word = [](std::uint32_t round) { return word_of(dead(round)); };
  std::atomic<std::uint32_t> seen{0};
  std::uint32_t missed = 0;
  Membership membership{table, log};
  ASSERT_TRUE(membership.join(std::nullopt));
  for (std::uint32_t i = slot_count - 8; i < slot_count; ++i) table.slots[i] = word_of(own_identity());
  std::thread other{[&] {
    for (std::uint32_t round = 1; round <= rounds; ++round) {
      const NextChange next{table};
      for (std::uint32_t i = 0; i < round % 64 * 16; ++i) (void)seen.load();  // meet each part of the look
      table.slots[index] = word(round);
      next.notify(log);
      const auto deadline = std::chrono::steady_clock::now() + test::patience;
      while (seen != round) {
        std::this_thread::yield();
        if (std::chrono::steady_clock::now() < deadline) continue;
        ++missed;
        notify(table, log);
        return;
      }
    }
  }};
  for (std::uint32_t round = 1; round <= rounds && missed == 0; ++round) {
    while (membership.look().slots[index] != word(round)) membership.wait_for_change(nullptr);
    seen = round;
  }
  other.join();
  EXPECT_EQ(missed, 0U);
}

}  // namespace
}  // namespace share_data
