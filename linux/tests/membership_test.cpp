// Joining and leaving, against every state of the table that others can leave behind.
#include "membership.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <optional>
#include <thread>

#include "bystander.h"
#include "kernel_view.h"
#include "waiting.h"

namespace share_data::test {
namespace {

using std::chrono::steady_clock;

class MembershipTest : public testing::Test {
 protected:
  void SetUp() override { remove_segment(key); }
  void TearDown() override { remove_segment(key); }

  [[nodiscard]] Applicant applicant(std::optional<std::uint32_t> max = std::nullopt) const {
    return {.identity = own_identity(), .key = key, .max = max};
  }

  /// A segment of ours as others left it.
  Table& existing_table() {
    if (!existing) existing = Segment::open_or_create(key);
    return existing->table();
  }

  static std::uint64_t word_of(Identity identity) { return static_cast<std::uint64_t>(identity); }

  const key_t key = static_cast<key_t>(0x5c00'0000U | static_cast<std::uint32_t>(getpid()));
  const StopSignals stop;
  std::optional<Segment> existing;
};

TEST_F(MembershipTest, FromJoinToLeave) {
  Membership member{applicant(), stop};
  const Table& table = existing_table();
  EXPECT_EQ(table.occupied(), 1U);
  EXPECT_EQ(table.plain, 1);
  EXPECT_GT(table.changes, 0U);
  const Remains remains = member.leave();
  EXPECT_EQ(remains.live, 0U);
  EXPECT_EQ(remains.plain, 0);
  EXPECT_TRUE(remains.removed_segment);
  EXPECT_EQ(table.occupied(), 0U);
  EXPECT_FALSE(segment_of(key));
}

TEST_F(MembershipTest, TheDestructorLeaves) {
  { const Membership member{applicant(), stop}; }
  EXPECT_FALSE(segment_of(key));
}

TEST_F(MembershipTest, WhileOthersAreAliveTheSegmentStays) {
  const Bystander other;
  ASSERT_TRUE(existing_table().claim(other.identity()));
  Membership member{applicant(), stop};
  const Remains remains = member.leave();
  EXPECT_EQ(remains.live, 1U);
  EXPECT_FALSE(remains.removed_segment);
  EXPECT_TRUE(segment_of(key));
  EXPECT_EQ(existing_table().retiring, 0U);
}

TEST_F(MembershipTest, TheDeadKeepNobodyFromRemovingTheSegment) {
  ASSERT_TRUE(existing_table().claim(identity_of_the_dead()));
  existing.reset();  // as the kernel detached whoever died
  Membership member{applicant(), stop};
  EXPECT_EQ(member.table().occupied(), 1U) << "the dead are buried before the newcomer counts";
  EXPECT_TRUE(member.leave().removed_segment);
  EXPECT_FALSE(segment_of(key));
}

TEST_F(MembershipTest, ADeadRemoverIsNotWaitedFor) {
  existing_table().retiring = word_of(identity_of_the_dead());
  const auto begin = steady_clock::now();
  const Membership member{applicant(), stop};
  EXPECT_LT(steady_clock::now() - begin, std::chrono::seconds{1});
  EXPECT_EQ(existing_table().retiring, 0U);
}

TEST_F(MembershipTest, ALivingRemoverIsWaitedFor) {
  const Bystander remover;
  existing_table().retiring = word_of(remover.identity());
  const std::jthread changes_its_mind{[&] {
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
    existing->table().retiring = 0;
  }};
  const auto begin = steady_clock::now();
  const Membership member{applicant(), stop};
  EXPECT_GE(steady_clock::now() - begin, std::chrono::milliseconds{40});
  EXPECT_EQ(existing_table().occupied(), 1U);
}

TEST_F(MembershipTest, ARemoverThatIsStoppedIsNotWaitedForWithoutEnd) {
  const Bystander remover;
  existing_table().retiring = word_of(remover.identity());
  const Membership member{applicant(), stop};
  EXPECT_EQ(existing_table().occupied(), 1U);
  EXPECT_EQ(existing_table().retiring, 0U);
}

TEST_F(MembershipTest, AfterARemovalTheNewcomerIsInANewSegment) {
  const Bystander remover;
  existing_table().retiring = word_of(remover.identity());
  const std::jthread removes{[&] {
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
    existing->remove();
  }};
  const Membership member{applicant(), stop};
  EXPECT_NE(member.segment().id(), existing->id());
  EXPECT_EQ(existing_table().occupied(), 0U) << "the slot in the old one was given up";
  EXPECT_EQ(member.table().occupied(), 1U);
}

TEST_F(MembershipTest, MaxRefusesWhereAsManyAreLive) {
  const Bystander first;
  const Bystander second;
  ASSERT_TRUE(existing_table().claim(first.identity()));
  ASSERT_TRUE(existing_table().claim(second.identity()));
  EXPECT_THROW(Membership(applicant(1), stop), Refused);
  EXPECT_THROW(Membership(applicant(2), stop), Refused);
  EXPECT_EQ(existing_table().occupied(), 2U);
  EXPECT_EQ(existing_table().admitting, 0U);
  const Membership member{applicant(3), stop};
  EXPECT_EQ(existing_table().occupied(), 3U);
}

TEST_F(MembershipTest, MaxDoesNotCountTheDead) {
  ASSERT_TRUE(existing_table().claim(identity_of_the_dead()));
  const Membership member{applicant(1), stop};
  EXPECT_EQ(existing_table().occupied(), 1U);
}

TEST_F(MembershipTest, WhoSeesTooManyAfterItsClaimGivesWay) {
  const Bystander remover;
  const Bystander other;
  existing_table().retiring = word_of(remover.identity());
  const std::jthread joins_without_a_turn{[&] {
    EXPECT_TRUE(eventually([&] { return existing->table().occupied() == 1; })) << "it claims, and waits";
    EXPECT_TRUE(existing->table().claim(other.identity()));
    existing->table().retiring = 0;
  }};
  EXPECT_THROW(Membership(applicant(1), stop), Refused);
  EXPECT_EQ(existing_table().occupied(), 1U);
  EXPECT_EQ(existing_table().admitting, 0U);
}

TEST_F(MembershipTest, TheTurnOfADeadCopyIsTakenOver) {
  existing_table().admitting = word_of(identity_of_the_dead());
  const Membership member{applicant(1), stop};
  EXPECT_EQ(existing_table().admitting, 0U);
}

TEST_F(MembershipTest, TheTurnOfAStoppedCopyIsTakenOver) {
  const Bystander stopped;
  existing_table().admitting = word_of(stopped.identity());
  const Membership member{applicant(1), stop};
  EXPECT_EQ(existing_table().occupied(), 1U);
}

TEST_F(MembershipTest, AStopSignalEndsTheWait) {
  const Bystander remover;
  existing_table().retiring = word_of(remover.identity());
  const std::jthread asks{[] { kill(getpid(), SIGTERM); }};
  EXPECT_THROW(Membership(applicant(), stop), Interrupted);
  EXPECT_EQ(existing_table().occupied(), 0U) << "the slot was given up";
}

TEST_F(MembershipTest, ASlotThatWasOverwrittenIsClaimedAgain) {
  Membership member{applicant(), stop};
  Table& table = member.table();
  EXPECT_FALSE(member.keep_place(table.look()));
  table.slots[0] = free_slot;
  EXPECT_TRUE(member.keep_place(table.look()));
  EXPECT_EQ(table.occupied(), 1U);
}

TEST_F(MembershipTest, OfSeveralSlotsOneIsKept) {
  Membership member{applicant(), stop};
  Table& table = member.table();
  for (const std::size_t index : {1U, 7U}) table.slots[index] = table.slots[0].load();
  table.distrust_used();
  EXPECT_TRUE(member.keep_place(table.look()));
  EXPECT_EQ(table.occupied(), 1U);
  EXPECT_FALSE(member.keep_place(table.look()));
}

TEST_F(MembershipTest, WhoHasLeftClaimsNothingAgain) {
  Membership member{applicant(), stop};
  (void)member.leave();
  EXPECT_FALSE(member.keep_place(member.table().look()));
  EXPECT_EQ(member.table().occupied(), 0U);
}

TEST_F(MembershipTest, ThoseInARemovedSegmentAreCalled) {
  const std::uint32_t before = existing_table().changes;
  existing->remove();
  const Membership member{applicant(), stop};
  EXPECT_NE(existing_table().changes, before);
}

}  // namespace
}  // namespace share_data::test
