// Joining and leaving, against every state of the table that others can leave behind.
#include "membership.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <functional>
#include <optional>
#include <random>
#include <thread>

#include "bystander.h"
#include "failure.h"
#include "kernel_view.h"
#include "seed.h"
#include "stop_request.h"
#include "wait.h"
#include "waiting.h"

namespace share_data::test {
namespace {

using std::chrono::steady_clock;

class MembershipTest : public testing::Test {
 protected:
  void SetUp() override { remove_segment(key); }
  void TearDown() override { remove_segment(key); }

  /// A member lives in a process of its own, for it leaves by ending. What does not hold there fails here, too.
  static void in_a_process(const std::function<void()>& life) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      life();
      std::fflush(nullptr);
      _exit(HasFailure() ? 1 : 0);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)) << status;
  }

  /// A segment of ours as others left it.
  Table& existing_table() {
    if (!existing) existing = Segment::open_or_create(key, log);
    return existing->table();
  }

  void put(std::uint32_t index, Word owner) {
    for (Slot::Alarm& alarm : existing_table().slots[index].alarms) alarm.owner = running_word(tid_of(owner));
    existing_table().slots[index].owner = owner;
    existing_table().cover(index);
  }

  /// A member's own view of the table: nothing else is attached in its process.
  static Table& table_of(const Membership& member) { return const_cast<Table&>(member.table()); }

  [[nodiscard]] Word owner(std::uint32_t index) { return existing_table().slots[index].owner; }
  [[nodiscard]] std::uint32_t live() { return existing_table().look(0).live; }

  const key_t key = static_cast<key_t>(0x5c00'0000U | static_cast<std::uint32_t>(getpid()));
  const Log log{{.quiet = true}, 0};
  std::optional<Segment> existing;
};

TEST_F(MembershipTest, FromJoinToLeave) {
  in_a_process([&] {
    Membership member{key, std::nullopt, log};
    const Table& table = member.table();
    const Word self = running_word(member.tid());
    EXPECT_EQ(member.look().live, 1U);
    EXPECT_EQ(table.plain, 1);
    EXPECT_GT(table.changes, 0U);
    const Slot& slot = table.slots[member.slot()];
    EXPECT_EQ(slot.owner, self);
    for (const Slot::Alarm& alarm : slot.alarms) EXPECT_EQ(alarm.owner, self);
    EXPECT_NEAR(static_cast<double>(slot.joined), static_cast<double>(milliseconds_now()), 60'000);
    const Remains remains = member.leave();
    EXPECT_EQ(remains.live, 0U);
    EXPECT_EQ(remains.plain, 0);
    EXPECT_TRUE(remains.removed_segment);
    EXPECT_FALSE(segment_of(key));
  });
  EXPECT_EQ(removed_segments(key), 0U) << "it went with the process";
}

TEST_F(MembershipTest, TheDestructorLeaves) {
  in_a_process([&] { const Membership member{key, std::nullopt, log}; });
  EXPECT_FALSE(segment_of(key));
}

TEST_F(MembershipTest, WhileOthersAreCountedTheSegmentStays) {
  const Bystander other;
  put(0, running_word(other.tid()));
  in_a_process([&] {
    Membership member{key, std::nullopt, log};
    EXPECT_EQ(member.slot(), 1U);
    const Remains remains = member.leave();
    EXPECT_EQ(remains.live, 1U);
    EXPECT_FALSE(remains.removed_segment);
    EXPECT_EQ(live(), 1U) << "not counted from here on";
  });
  EXPECT_TRUE(segment_of(key));
  EXPECT_EQ(owner(1), gone_word);
  EXPECT_NE(existing_table().slots[1].leaving, 0U) << "it was not killed";
  EXPECT_EQ(existing_table().plain, 0);
}

TEST_F(MembershipTest, OneThatIsKilledIsCountedNoMoreAndLeftNoNote) {
  existing_table();
  in_a_process([&] {
    const Membership member{key, std::nullopt, log};
    kill(getpid(), SIGKILL);
  });
  EXPECT_EQ(live(), 0U);
  EXPECT_EQ(owner(0), gone_word);
  EXPECT_EQ(existing_table().slots[0].leaving, 0U);
  EXPECT_EQ(existing_table().plain, 1) << "nobody counted it down";
}

TEST_F(MembershipTest, ThoseWhoAreGoneKeepNobodyFromRemovingTheSegment) {
  put(0, gone_word);
  in_a_process([&] { EXPECT_TRUE((Membership{key, std::nullopt, log}.leave().removed_segment)); });
  EXPECT_FALSE(segment_of(key));
}

TEST_F(MembershipTest, ALookFreesTheSlotsOfThoseWhoAreGoneAndTellsTheOthers) {
  in_a_process([&] {
    Membership member{key, std::nullopt, log};
    put(1, gone_word);
    const std::uint32_t before = existing_table().changes;
    EXPECT_EQ(member.look().live, 1U);
    EXPECT_EQ(existing_table().changes, before + 1);
    EXPECT_EQ(owner(1), 0U);
  });
}

TEST_F(MembershipTest, IfAllSlotsAreTakenThoseOfTheGoneAreUsed) {
  for (std::uint32_t i = 0; i < slot_count; ++i) put(i, running_word(1));
  in_a_process([&] { EXPECT_THROW(Membership(key, std::nullopt, log), Failure); });
  put(7, gone_word);
  in_a_process([&] { EXPECT_EQ((Membership{key, std::nullopt, log}.slot()), 7U); });
}

// A word whose process is missing is garbage, or a death that the kernel could not mark.
TEST_F(MembershipTest, ALookTakesOutWhoIsMissingIfMoreAreCountedThanAttached) {
  const Bystander other;
  put(0, running_word(tid_of_the_dead()));
  put(1, running_word(other.tid()));
  existing.reset();
  in_a_process([&] {
    Membership member{key, std::nullopt, log};
    Table& table = table_of(member);
    EXPECT_EQ(member.look().live, 2U);
    EXPECT_EQ(table.slots[0].owner, 0U);
    EXPECT_EQ(table.slots[1].owner, running_word(other.tid()));
    table.slots[0].owner = running_word(member.tid());
    EXPECT_EQ(member.look().live, 2U) << "its own TID elsewhere";
  });
  EXPECT_TRUE(other.is_unharmed());
}

TEST_F(MembershipTest, ALookTrustsTheWordsIfAsManyAreAttached) {
  put(1, running_word(tid_of_the_dead()));  // as of a copy in another PID namespace; this process is attached
  in_a_process([&] { EXPECT_EQ((Membership{key, std::nullopt, log}.look().live), 2U); });
}

TEST_F(MembershipTest, MaxRefusesIfAsManyAreLive) {
  const Bystander first;
  const Bystander second;
  put(0, running_word(first.tid()));
  put(1, running_word(second.tid()));
  for (const std::uint32_t max : {1U, 2U}) {
    in_a_process([&] { EXPECT_THROW(Membership(key, max, log), Failure); });
    EXPECT_EQ(live(), 2U);
    EXPECT_EQ(existing_table().admitting, 0U);
    EXPECT_EQ(existing_table().plain, 0);
  }
  in_a_process([&] {
    const Membership member{key, 3, log};
    EXPECT_EQ(live(), 3U);
    EXPECT_EQ(existing_table().admitting, 0U);
  });
}

TEST_F(MembershipTest, TheTurnOfADeadCopyIsTakenOverAtOnce) {
  existing_table().admitting = tid_of_the_dead();
  in_a_process([&] {
    const auto begin = steady_clock::now();
    const Membership member{key, 1, log};
    EXPECT_LT(steady_clock::now() - begin, std::chrono::seconds{1});
    EXPECT_EQ(existing_table().admitting, 0U);
  });
}

TEST_F(MembershipTest, TheTurnOfAStoppedCopyIsTakenOver) {
  const Bystander stopped;
  existing_table().admitting = stopped.tid();
  in_a_process([&] {
    const Membership member{key, 1, log};
    EXPECT_EQ(live(), 1U);
  });
  EXPECT_TRUE(stopped.is_unharmed());
}

TEST_F(MembershipTest, ARequestToLeaveEndsTheWaitForTheTurn) {
  const Bystander stopped;
  existing_table().admitting = stopped.tid();
  in_a_process([&] {
    const StopRequest stop;
    kill(getpid(), SIGTERM);
    const auto begin = steady_clock::now();
    const Membership member{key, 1, log};
    EXPECT_LT(steady_clock::now() - begin, std::chrono::seconds{1});
  });
  EXPECT_EQ(existing_table().admitting, stopped.tid());
  EXPECT_EQ(live(), 0U);
}

TEST_F(MembershipTest, ASlotThatWasOverwrittenIsClaimedAgain) {
  in_a_process([&] {
    Membership member{key, std::nullopt, log};
    Table& table = table_of(member);
    const auto expect_healed = [&] {
      const std::uint32_t before = table.changes;
      EXPECT_EQ(member.look().live, 1U);
      EXPECT_EQ(table.slots[member.slot()].owner, running_word(member.tid()));
      EXPECT_NE(table.changes, before) << "the others have to hear of it";
    };
    for (const Word garbage : {0U, gone_word, running_word(tid_of_the_dead()), joined_word(member.tid())}) {
      table.slots[member.slot()].owner = garbage;
      expect_healed();
    }
    table.slots[member.slot()].leaving = member.tid();
    expect_healed();
    table.slots[member.slot()].alarms[1].owner = 0;
    expect_healed();
    EXPECT_EQ(table.slots[member.slot()].alarms[1].owner, running_word(member.tid()));
    table.used = 0;
    EXPECT_EQ(member.look().live, 1U);
  });
}

TEST_F(MembershipTest, AfterARemovalItJoinsAgainInANewSegment) {
  in_a_process([&] {
    Membership member{key, std::nullopt, log};
    const int before = member.look().segment;
    remove_segment(key);
    const View view = member.look();
    EXPECT_EQ(view.live, 1U);
    EXPECT_NE(view.segment, before);
    EXPECT_EQ(removed_segments(key), 0U) << "nothing keeps the old one";
    EXPECT_EQ(member.table().plain, 1);
    EXPECT_TRUE(member.leave().removed_segment);
  });
  EXPECT_FALSE(segment_of(key));
}

/// What a member sees, in memory that has nothing to do with System V.
struct Sight {
  std::atomic<std::uint32_t> live;
  std::atomic<int> segment;
};

/// The race that a bare attach count or a lock loses: the last copy removes the segment while the next one joins.
class LastOneOut : public MembershipTest {
 protected:
  /// A child that joins, looks until it is asked to leave, and leaves.
  [[nodiscard]] pid_t spawn(Sight& sight) const {
    sight.live = 0;
    const pid_t pid = fork();
    if (pid != 0) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const StopRequest stop;
    Membership member{key, std::nullopt, log};
    while (!StopRequest::made()) {
      const View view = member.look();
      sight.segment = view.segment;
      sight.live = view.live;
      wait_for_change(member.table(), view, member.slot(), log);
    }
    member.leave();
    _exit(0);
  }

  /// In each round two members come just when the two before them leave, or are killed.
  void expect_one_segment(unsigned kills_in_ten) const {
    auto* const sights = static_cast<Sight*>(
        mmap(nullptr, 2 * sizeof(Sight), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    std::mt19937 random{seed()};
    std::array<pid_t, 2> current{};
    for (int round = 0; round <= scaled(1000) && !HasFailure(); ++round) {
      const bool last_round = round == scaled(1000);
      std::array<pid_t, 2> next{};
      for (std::size_t i = 0; i < 2 && !last_round; ++i) next[i] = spawn(sights[i]);
      std::this_thread::sleep_for(std::chrono::microseconds{random() % 2000});
      const int signal = !last_round && random() % 10 < kills_in_ten ? SIGKILL : SIGTERM;
      for (const pid_t pid : current) pid > 0 ? kill(pid, signal) : 0;
      for (const pid_t pid : current) pid > 0 ? waitpid(pid, nullptr, 0) : 0;
      current = next;
      EXPECT_TRUE(last_round || eventually([&] {
                    return sights[0].live == 2 && sights[1].live == 2 && sights[0].segment == sights[1].segment &&
                           attached_to(key) == 2 && removed_segments(key) == 0;
                  }))
          << "in round " << round;
    }
    EXPECT_FALSE(segment_of(key)) << "the last one out removes the segment";
    EXPECT_EQ(removed_segments(key), 0U);
    munmap(sights, 2 * sizeof(Sight));
  }
};

TEST_F(LastOneOut, ARaceNeverLeavesTwoSegments) { expect_one_segment(0); }

TEST_F(LastOneOut, KillsInTheMiddleOfTheRaceDoNotLeaveTwoSegmentsEither) { expect_one_segment(5); }

}  // namespace
}  // namespace share_data::test
