// Joining and leaving, against every state of the table that others can leave behind.
#include "membership.h"

#include "faults.h"
#include "kernel_view.h"
#include "stop_request.h"

namespace share_data::test {
namespace {

class MembershipTest : public testing::Test {
 protected:
  void TearDown() override { remove_segment(key); }

  /// A member lives in a process of its own, for it leaves by ending. What does not hold there fails here, too.
  static void in_a_process(const std::function<void()>& life) { EXPECT_EQ(Child{life}.wait(), 0); }

  /// The same with one that has joined.
  void in_a_member(const std::function<void(Membership&)>& life) const {
    in_a_process([&] {
      Membership member{key, log};
      member.join();
      life(member);
    });
  }

  /// A segment of ours as others left it.
  Table& existing_table() {
    if (!existing) existing = Segment::open_or_create(key, log);
    return existing->table();
  }

  void put(std::uint32_t index, Word owner) { occupy(existing_table().slots[index], owner); }

  void fill(Word owner) {
    for (std::uint32_t i = 0; i < slot_count; ++i) put(i, owner);
  }

  const key_t key = own_key();
  const Log log{{.quiet = true}, 0};
  std::optional<Segment> existing;
  const Bystander other;
};

TEST_F(MembershipTest, IfAllSlotsAreTakenThoseOfTheGoneAreUsed) {
  fill(running_word(1));
  in_a_process([&] { EXPECT_THROW((Membership{key, log}.join()), Failure); });
  put(7, marked_word);
  in_a_member([](Membership& member) { EXPECT_EQ(member.slot(), 7U); });
}

// A word whose process is missing is garbage, or a death that the kernel could not mark.
TEST_F(MembershipTest, ALookTakesOutWhoIsMissingIfMoreAreCountedThanAttached) {
  put(0, running_word(tid_of_the_dead()));
  in_a_member([](Membership& member) { EXPECT_EQ(member.look().live, 2U) << "this process is attached"; });
  put(1, running_word(other.tid()));
  existing.reset();
  in_a_member([&](Membership& member) {
    Table& table = member.table();
    EXPECT_EQ(member.look().live, 2U);
    EXPECT_EQ(table.slots[0].owner, 0U);
    EXPECT_EQ(table.slots[1].owner, running_word(other.tid()));
    table.slots[0].owner = running_word(member.tid());
    EXPECT_EQ(member.look().live, 2U) << "its own TID elsewhere";
    table.slots[0].joined = 1;
    table.slots[0].owner = running_word(member.tid());
    refuse(SYS_kill, EPERM)();
    EXPECT_EQ(member.look().live, 2U) << "the other one only may not be signalled";
  });
  EXPECT_TRUE(other.is_unharmed());
}

TEST_F(MembershipTest, UnderALimitACopyThatIsStoppedWhileItJoinsTakesAPlaceButDoesNotHoldUpOthersForever) {
  put(0, joining_word(other.tid()));
  in_a_process([&] {
    try {
      Membership{key, log}.join(1);
      FAIL() << "it has joined";
    } catch (const Failure& failure) {
      EXPECT_STREQ(failure.what(), "not joining: 0 live and 1 joining, --max 1");
    }
  });
  EXPECT_EQ(existing_table().slots[1].owner, 0U);
  in_a_process([&] {
    stop_request::start_catching();
    kill(getpid(), SIGTERM);
    EXPECT_FALSE((Membership{key, log}.join(1))) << "a request to leave ends the wait";
  });
}

TEST_F(MembershipTest, UnderALimitItCountsThoseInTheNewSegmentIfItsOwnWasRemovedAndNotItself) {
  existing_table();  // as long as this process is attached, others find it
  for (const bool is_another_one_there : {false, true}) {
    in_a_process([&] {
      Membership member{key, log};
      remove_segment(key);
      if (is_another_one_there) {
        existing.reset();
        put(0, running_word(other.tid()));
        EXPECT_THROW(member.join(1), Failure);
        EXPECT_EQ(existing_table().slots[1].owner, 0U);
      } else {
        member.join(1);
        EXPECT_EQ(member.look().live, 1U);
      }
    });
  }
}

TEST_F(MembershipTest, UnderALimitNoneWhoIsMissingTakesAPlaceNotEvenWithItsOwnTid) {
  for (const bool is_own_tid : {false, true}) {
    in_a_process([&] {
      Membership member{key, log};
      member.table().slots[0].owner = running_word(is_own_tid ? member.tid() : tid_of_the_dead());
      EXPECT_TRUE(member.join(1));
      EXPECT_EQ(member.look().live, 1U);
    });
  }
}

TEST_F(MembershipTest, ACopyThatRemovesTheSegmentWithoutHavingJoinedNotifiesThoseWhoHaveJustJoinedThere) {
  const std::uint32_t before = existing_table().changes;
  in_a_process([&] { const Membership member{key, log}; });
  EXPECT_EQ(existing_table().changes, before + 1);
}

TEST_F(MembershipTest, AnEarlierCopyWithItsTidThatLeftTheSlotDoesNotMatter) {
  in_a_process([&] {
    Membership member{key, log};
    member.table().slots[0].leaver = member.tid();
    member.join();
    EXPECT_EQ(member.slot(), 0U);
    EXPECT_EQ(member.table().look().live, 1U);
  });
}

TEST_F(MembershipTest, ASlotThatWasOverwrittenIsClaimedAgain) {
  in_a_member([&](Membership& member) {
    Table& table = member.table();
    const auto expect_healed = [&] {
      const std::uint32_t before = table.changes;
      EXPECT_EQ(member.look().live, 1U);
      EXPECT_EQ(table.slots[member.slot()].owner, running_word(member.tid()));
      EXPECT_NE(table.changes, before) << "the others have to hear of it";
    };
    for (const Word garbage :
         {0U, marked_word, running_word(tid_of_the_dead()), joining_word(member.tid()), joined_word(member.tid())}) {
      table.slots[member.slot()].owner = garbage;
      expect_healed();
    }
    table.slots[member.slot()].leaver = member.tid();
    expect_healed();
  });
}

TEST_F(MembershipTest, ATableThatWasOverwrittenIsHealedAsOftenAsThatHappens) {
  const Word dead = tid_of_the_dead();
  in_a_member([&](Membership& member) {
    for (int round = 0; round < 3; ++round) {
      for (Slot& slot : member.table().slots) occupy(slot, running_word(dead));
      EXPECT_EQ(member.look().live, 1U);
    }
  });
}

// What a copy leaves behind that is slow to free a mark, and frees the mark of a later user of the slot instead.
TEST_F(MembershipTest, ASlotThatWasFreedBehindItsBackHidesNoDeath) {
  put(0, running_word(other.tid()));
  in_a_member([&](Membership& member) {
    EXPECT_EQ(member.look().live, 2U);
    const std::uint32_t before = member.table().changes;
    put(0, 0);
    EXPECT_EQ(member.look().live, 1U);
    EXPECT_EQ(member.table().changes, before + 1) << "the others have to hear of it";
    (void)member.look();
    EXPECT_EQ(member.table().changes, before + 1) << "once";
  });
}

TEST_F(MembershipTest, TheLastOneDoesNotSayThatItRemovesWhatSomebodyElseHasRemoved) {
  in_a_member([&](Membership& member) {
    remove_segment(key);
    EXPECT_EQ(member.leave().remark, "");
  });
}

TEST_F(MembershipTest, AfterARemovalItTakesTheOnlySlotWhoseOwnerIsMissingOrLeavesTheNewSegmentAsItIs) {
  for (const bool there_is_room : {true, false}) {
    in_a_member([&](Membership& member) {
      const std::uint32_t before = member.slot();
      remove_segment(key);
      fill(running_word(1));
      if (there_is_room) {
        put(before, running_word(tid_of_the_dead()));
        member.look();
        EXPECT_EQ(member.slot(), before);
      } else {
        EXPECT_THROW(member.look(), Failure);
        EXPECT_EQ(member.leave().plain, 0);
        EXPECT_EQ(existing_table().slots[0].leaver, 0U);
      }
    });
    remove_segment(key);
  }
}

}  // namespace
}  // namespace share_data::test
