// Copies that start and leave, and what they do in between: nothing. Under --max N exactly N join, however many start
// at once.
#include <sys/resource.h>

#include <algorithm>

#include "copies.h"
#include "faults.h"

namespace share_data::test {
namespace {

using Start = CopiesTest;

TEST_F(Start, AThousandCopiesStartedAtOnceAgree) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  const auto count = std::min(scaled(1000), static_cast<int>(std::min<rlim_t>(files.rlim_cur, 10'000) - 100) / 2);
  Copies copies = start_together(count, {.options = {"--quiet"}});
  std::ranges::shuffle(copies, std::mt19937{seed()});
  const Group all{copies};
  destroy({all.begin(), all.begin() + count / 3});
  expect_all_leave({all.begin() + count / 3, all.begin() + 2 * count / 3});
  copies.erase(copies.begin(), copies.begin() + 2 * count / 3);
  expect_all_is_well(copies);
}

TEST_F(Start, ACopyLeavesWhenItsTimeIsOverAndTheLastLinesAndNotesSayWhatHappened) {
  Copy last = start({.options = {"--for", "1e300"}});
  ASSERT_TRUE(all_show({&last}, 1));
  EXPECT_EQ(segment_of(key())->shm_perm.mode & 0777, 0600U);
  const std::string segment =
      fmt::format("segment {}, key {}, 52 KiB, attached at 0x", RawSegment{key()}.id(), key_text());
  const auto started = std::chrono::steady_clock::now();
  Copy brief = ask_here({"--for", "0.25"});
  EXPECT_EQ(brief.exit_code(), 0);
  EXPECT_GE(std::chrono::steady_clock::now() - started, std::chrono::milliseconds{250});
  EXPECT_TRUE(contains(brief.output(), "1 live  left"));
  EXPECT_EQ(brief.notes().find("share_data: attached to " + segment), 0U) << brief.notes();
  const int expected_notes = has_futex_waitv() ? 1 : 2;  // the second one says that it polls
  EXPECT_EQ(std::ranges::count(brief.notes(), '\n'), expected_notes) << "nothing is explained unasked";
  Copy quiet = ask_here({"--quiet", "--for", "1e-300"});
  EXPECT_EQ(quiet.exit_code(), 0);
  EXPECT_EQ(quiet.notes(), "");
  EXPECT_EQ(last.stop(), 0);
  EXPECT_TRUE(contains(last.lines().back(), "0 live  left; last one out, segment removed"));
  EXPECT_EQ(last.notes().find("share_data: created " + segment), 0U) << last.notes();
}

using Idle = CopiesTest;

TEST_F(Idle, FiveCopiesDoNotWakeUpOnceInFiveSeconds) {
  if (!has_futex_waitv()) GTEST_SKIP() << "needs futex_waitv";
  Copies copies = start_together(5);
  EXPECT_TRUE(all_sleep(copies, std::chrono::seconds{5}));
  const std::filesystem::directory_iterator threads{fmt::format("/proc/{}/task", copies[0].pid())};
  EXPECT_EQ(std::distance(begin(threads), end(threads)), 1) << "each thread would have a robust list of its own";
}

using LastOut = CopiesTest;

// The race that a bare attach count or a lock loses: the last copies remove the segment while the next ones join.
TEST_F(LastOut, WhoComesJustWhenTheLastOnesLeaveOrAreKilledIsNeverAloneInASegmentOfItsOwn) {
  std::mt19937 random{seed()};
  for (const unsigned kills_in_ten : {0U, 5U}) {
    Copies current = start_together(2);
    for (int round = 0; round < scaled(300) && !HasFailure(); ++round) {
      SCOPED_TRACE(round);
      Copies next = start_many(2, {.options = {"--quiet"}});
      std::this_thread::sleep_for(std::chrono::microseconds{random() % 4000});
      random() % 10 < kills_in_ten ? destroy(current) : expect_all_leave(current);
      EXPECT_TRUE(all_show(next));
      EXPECT_TRUE(eventually([&] { return removed_segments(key()) == 0; }));
      current = std::move(next);
    }
    expect_clean_end(current);
  }
}

TEST_F(LastOut, ASegmentThatComesOrGoesBetweenTwoCallsOfAStartDoesNotMatter) {
  if (!has_strace()) GTEST_SKIP() << "needs strace";
  Copy slow = start({.through = strace("shmget:delay_exit=500000:when=1")});  // it has found none
  EXPECT_TRUE(eventually([&] { return call_of(slow.pid()) == SYS_shmget; }));
  Copy first = start();
  ASSERT_TRUE(all_show({&first, &slow}, 2));
  Copy next = start({.through = strace("shmat:delay_enter=500000:when=1")});  // it has found that one
  EXPECT_TRUE(eventually([&] { return call_of(next.pid()) == SYS_shmat; }));
  expect_clean_end({&first, &slow});
  EXPECT_TRUE(all_show({&next}, 1));
}

class Max : public CopiesTest {
 protected:
  /// Waits until each has either joined or ended, and takes out those that have ended.
  static Copies take_ended(Copies& copies) {
    const auto is_through = [](Copy& copy) { return copy.ended() || copy.shown(); };
    EXPECT_TRUE(eventually([&] { return std::ranges::all_of(copies, is_through); }));
    const auto first = std::stable_partition(copies.begin(), copies.end(), [](Copy& copy) { return !copy.ended(); });
    Copies ended{std::move_iterator{first}, std::move_iterator{copies.end()}};
    copies.erase(first, copies.end());
    return ended;
  }

  /// Starts many copies with `--max max` at once. Some join, and the others are refused.
  Copies start_with_max(int count, int max) const {
    Copies copies = start_many(count, {.options = {"--max", std::to_string(max)}});
    for (Copy& refused : take_ended(copies)) {
      EXPECT_TRUE(fails(refused, 3, fmt::format("share_data: not joining: {0} live, --max {0}", max)));
      EXPECT_EQ(refused.output(), "");
    }
    return copies;
  }
};

TEST_F(Max, OfSixtyStartersExactlyAsManyJoinAsMay) {
  for (const int max : {1, 2, 17, 59, 60}) {
    Copies joined = start_with_max(60, max);
    EXPECT_TRUE(all_show(joined, max));
    expect_clean_end(joined);
  }
}

// One place is left, and a copy claims slot 2. Before it looks again, another one is joining, too. If that one is in a
// lower slot, the copy withdraws.
TEST_F(Max, OfTwoThatAreJoiningTheOneInTheLowerSlotGoesFirst) {
  if (!has_strace()) GTEST_SKIP() << "needs strace";
  const Bystander running;
  const Bystander other;
  for (const std::size_t slot : {1U, 3U}) {
    const bool goes_first = slot > 2;
    bool in_time = false;
    for (int attempt = 0; attempt < 20 && !in_time; ++attempt) {
      const Segment segment = Segment::open_or_create(key(), Log{{.quiet = true}, 0});
      Table& table = segment.table();
      occupy(table.slots[0], running_word(running.tid()));
      occupy(table.slots[1], running_word(other.tid()));
      table.slots[1].leaver = other.tid();
      Copy copy = start({.options = {"--max", "2"}, .through = strace("shmctl:delay_enter=20000")});
      const std::atomic<Word>& claimed = table.slots[2].owner;
      EXPECT_TRUE(eventually([&] { return claimed != 0; }));
      table.slots[slot].owner = joining_word(other.tid());
      const auto has_looked = [&] { return has_joined(claimed) || call_of(copy.pid()) == SYS_clock_nanosleep; };
      EXPECT_TRUE(eventually(has_looked));
      in_time = !has_joined(claimed);
      if (in_time) {
        EXPECT_EQ(claimed, goes_first ? joining_word(copy.tid()) : 0);
        table.slots[slot].owner = 0;
        EXPECT_EQ(copy.shown_first(), 2);
        EXPECT_EQ(tid_of(table.slots[goes_first ? 2 : 1].owner), copy.tid());
      }
      remove_segment(key());
    }
    EXPECT_TRUE(in_time);
  }
}

TEST_F(Max, ThoseWithoutALimitAndThoseWhoseSegmentWasRemovedCountAndAPlaceThatBecomesFreeCanBeTaken) {
  Copies copies = start_together(5);
  EXPECT_TRUE(all_sleep(copies));
  {
    const RawSegment segment{key()};
    const std::uint32_t changes = segment.table().changes;
    EXPECT_TRUE(start_with_max(10, 5).empty());
    EXPECT_EQ(segment.table().changes, changes) << "who is refused wakes nobody";
    EXPECT_EQ(segment.table().plain, 5);
  }
  ASSERT_TRUE(remove_segment(key()));
  EXPECT_TRUE(start_with_max(1, 5).empty()) << "those who come from the removed segment count";
  add(copies, start_with_max(20, 7));
  EXPECT_TRUE(all_show(copies, 7));
  EXPECT_EQ(take(copies, 2).stop(), 0);
  copies.push_back(start({.options = {"--max", "7"}}));
  EXPECT_TRUE(all_show(copies, 7));
}

TEST_F(Max, TheDeadTakeNobodysPlaceAndStartersThatAreKilledHoldUpNobody) {
  Copies dead = start_together(10);
  destroy(dead);
  for (int round = 0; round < scaled(20); ++round) {
    Copies starters = start_many(10, {.options = {"--max", "3"}});
    for (std::size_t i = 0; i < starters.size(); i += 2) starters[i].destroy();
    take_ended(starters);
    EXPECT_LE(starters.size(), 3U);
    EXPECT_TRUE(all_show(starters));
  }
  Copies joined = start_with_max(20, 10);
  EXPECT_TRUE(all_show(joined, 10));
}

}  // namespace
}  // namespace share_data::test
