// Copies that are killed or stopped: no handler of theirs ever runs, and the count is exact all the same.
#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <thread>

#include "bystander.h"
#include "copies_test.h"
#include "seed.h"
#include "strace.h"

namespace share_data::test {
namespace {

using Death = CopiesTest;

TEST_F(Death, TheOthersSeeAKilledCopy) {
  Copies copies = start_together(4);
  copies[1].destroy();
  const std::string line =
      "3 live  x " + std::to_string(copies[1].pid()) + " was killed (a plain ++/-- counter now says 4)";
  for (const std::size_t survivor : {0U, 2U, 3U}) EXPECT_TRUE(copies[survivor].prints(line)) << survivor;
}

TEST_F(Death, AllButOneAreKilledAtOnce) {
  const int count = scaled(150);  // more than each can watch
  Copies copies = start_together(count);
  for (int i = 1; i < count; ++i) copies[static_cast<std::size_t>(i)].signal(SIGKILL);
  EXPECT_TRUE(all_show({&copies[0]}, 1));
  EXPECT_EQ(copies[0].stop(), 0);
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(Death, AfterAllWereKilledAFreshStartShowsOneAtOnce) {
  for (int round = 0; round < 5; ++round) {
    Copies copies = start_together(10);
    for (const Copy& copy : copies) copy.signal(SIGKILL);
    for (Copy& copy : copies) copy.destroy();
    ASSERT_TRUE(segment_of(key())) << "killed copies cannot have removed it";

    Copy fresh = start();
    ASSERT_TRUE(fresh.prints("joined"));
    EXPECT_EQ(live_on(fresh.lines().front()), 1);
    EXPECT_EQ(fresh.stop(), 0);
    EXPECT_TRUE(nothing_is_left());
  }
}

// A killed copy keeps its entry in the process table until its parent asks; it is no running copy any more.
TEST_F(Death, AZombieDoesNotCount) {
  Copies copies = start_together(2);
  copies[1].signal(SIGKILL);
  EXPECT_TRUE(copies[0].prints("1 live  x " + std::to_string(copies[1].pid())));
  Copy fresh = start();
  ASSERT_TRUE(fresh.prints("joined"));
  EXPECT_EQ(live_on(fresh.lines().front()), 2);
}

TEST_F(Death, ACopyKilledAnywhereInItsStartIsNotCounted) {
  std::mt19937 random{seed()};
  Copy survivor = start_alone();

  // How long a start takes on this machine, so that the kills fall into it.
  const auto begin = std::chrono::steady_clock::now();
  Copy measured = start();
  ASSERT_TRUE(measured.prints("joined"));
  const std::chrono::duration<double, std::micro> start_time = std::chrono::steady_clock::now() - begin;
  ASSERT_EQ(measured.stop(), 0);

  std::uniform_real_distribution<double> moment{0, 1.3 * start_time.count()};
  for (int i = 0; i < scaled(300); ++i) {
    Copy victim = start();
    std::this_thread::sleep_for(std::chrono::duration<double, std::micro>{moment(random)});
    victim.destroy();
    Copy newcomer = start();
    ASSERT_TRUE(newcomer.prints("joined"));
    ASSERT_EQ(live_on(newcomer.lines().front()), 2) << "in round " << i;
    ASSERT_TRUE(all_show({&survivor, &newcomer}, 2)) << "in round " << i;
    ASSERT_EQ(newcomer.stop(), 0);
    ASSERT_TRUE(all_show({&survivor}, 1)) << "in round " << i;
  }
  EXPECT_EQ(survivor.stop(), 0);
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(Death, SlotsOfTheDeadAreUsedAgain) {
  Copy survivor = start();
  for (int round = 0; round < 3; ++round) {
    Copies copies = start_many(scaled(50));
    ASSERT_TRUE(all_show({&survivor}, 1 + scaled(50)));
    for (const Copy& copy : copies) copy.signal(SIGKILL);
    ASSERT_TRUE(all_show({&survivor}, 1));
  }
}

class ReusedPid : public CopiesTest {
 protected:
  /// A process that has nothing to do with the program, with the pid of a copy that is no more. Null if we cannot
  /// have one.
  static std::unique_ptr<Bystander> stranger_with(pid_t pid) {
    for (int attempt = 0; attempt < 100; ++attempt) {
      auto stranger = std::make_unique<Bystander>(pid);
      if (stranger->pid() == pid) return stranger;
    }
    return nullptr;
  }

  /// The same with another copy.
  [[nodiscard]] std::optional<Copy> copy_with(pid_t pid) const {
    for (int attempt = 0; attempt < 100; ++attempt) {
      set_last_pid(pid - 1);
      Copy copy = start();
      if (copy.pid() == pid) return copy;
    }
    return std::nullopt;
  }
};

constexpr const char* why_not = "could not have a pid used again; writing ns_last_pid needs root";

TEST_F(ReusedPid, IsNotCountedByAFreshStart) {
  Copy victim = start_alone();
  victim.destroy();
  const auto stranger = stranger_with(victim.pid());
  if (!stranger) GTEST_SKIP() << why_not;
  Copy fresh = start();
  ASSERT_TRUE(fresh.prints("joined"));
  EXPECT_EQ(live_on(fresh.lines().front()), 1);
  EXPECT_EQ(ask_here({"--status"}).output.find("1 live\n"), 0U);
  EXPECT_TRUE(stranger->is_unharmed());
}

TEST_F(ReusedPid, DoesNotHideTheDeathFromACopyThatWasStoppedMeanwhile) {
  Copy witness = start();
  Copy victim = start();
  ASSERT_TRUE(all_show({&witness, &victim}, 2));
  witness.signal(SIGSTOP);
  victim.destroy();
  const auto stranger = stranger_with(victim.pid());
  witness.signal(SIGCONT);
  if (!stranger) GTEST_SKIP() << why_not;
  EXPECT_TRUE(witness.prints("1 live  x " + std::to_string(victim.pid()) + " was killed"));
  EXPECT_TRUE(stranger->is_unharmed());
}

TEST_F(ReusedPid, CountsIfAnotherCopyHasIt) {
  Copy witness = start();
  Copy victim = start();
  for (const bool clean : {true, false}) {
    ASSERT_TRUE(all_show({&witness, &victim}, 2));
    clean ? (void)victim.stop() : victim.destroy();
    auto successor = copy_with(victim.pid());
    if (!successor) GTEST_SKIP() << why_not;
    ASSERT_TRUE(successor->prints("joined"));
    EXPECT_EQ(live_on(successor->lines().front()), 2);
    ASSERT_TRUE(all_show({&witness, &*successor}, 2));
    victim = std::move(*successor);
  }
  victim.destroy();
  EXPECT_TRUE(all_show({&witness}, 1));
  EXPECT_TRUE(witness.prints("1 live  x " + std::to_string(victim.pid())));
  EXPECT_EQ(witness.stop(), 0);
  EXPECT_TRUE(nothing_is_left());
}

class Stopped : public CopiesTest {};

TEST_F(Stopped, ChangesNothingForTheRest) {
  Copies copies = start_together(5);
  const std::size_t lines = copies[0].lines().size();
  copies[3].signal(SIGSTOP);
  copies[4].signal(SIGSTOP);
  ASSERT_TRUE(is_stopped(copies[3]) && is_stopped(copies[4]));

  Copy newcomer = start();
  EXPECT_TRUE(all_show({&copies[0], &copies[1], &copies[2], &newcomer}, 6));
  EXPECT_EQ(newcomer.stop(), 0);
  EXPECT_TRUE(all_show({&copies[0], &copies[1], &copies[2]}, 5));
  EXPECT_EQ(copies[0].lines().size(), lines + 2) << "the newcomer came and went, and that was all";

  copies[3].signal(SIGCONT);
  copies[4].signal(SIGCONT);
  EXPECT_TRUE(all_show(copies, 5));
}

TEST_F(Stopped, ShowsTheTruthWhenItGoesOn) {
  Copies copies = start_together(5);
  copies[0].signal(SIGSTOP);
  ASSERT_TRUE(is_stopped(copies[0]));
  EXPECT_EQ(copies[1].stop(), 0);
  copies[2].destroy();
  Copies newcomers = start_many(3);
  ASSERT_TRUE(all_show(newcomers, 6));
  copies[0].signal(SIGCONT);
  EXPECT_TRUE(all_show({&copies[0], &copies[3], &copies[4]}, 6));
}

TEST_F(Stopped, TenOfTwelveDoNotHideADeathFromTheOtherTwo) {
  Copies copies = start_together(12);
  for (std::size_t i = 2; i < 12; ++i) copies[i].signal(SIGSTOP);
  for (std::size_t i = 2; i < 12; ++i) ASSERT_TRUE(is_stopped(copies[i]));
  for (int count = 11; count >= 2; --count) {
    const auto victim = static_cast<std::size_t>(count);
    copies[victim].destroy();
    EXPECT_TRUE(all_show({&copies[0], &copies[1]}, count));
    EXPECT_TRUE(copies[0].prints("x " + std::to_string(copies[victim].pid()) + " was killed"));
  }
}

TEST_F(Stopped, CanBeTheLastOneOut) {
  Copies copies = start_together(3);
  copies[2].signal(SIGSTOP);
  EXPECT_EQ(copies[0].stop(), 0);
  EXPECT_EQ(copies[1].stop(), 0);
  EXPECT_TRUE(segment_of(key())) << "one is left, and it is stopped";
  copies[2].signal(SIGTERM);
  copies[2].signal(SIGCONT);
  EXPECT_EQ(copies[2].exit_code(), 0);
  EXPECT_TRUE(nothing_is_left());
}

class KillPoint : public CopiesTest, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    CopiesTest::SetUp();
    if (!has_strace()) GTEST_SKIP() << "needs strace";
  }

  /// A whole life that ends on entering the `number`th call. False if there is no such call.
  [[nodiscard]] bool live_until(int number) const {
    Copy victim =
        start(Launch{.options = {"--for", "0.02"},
                     .through = strace(std::string{GetParam()} + ":signal=KILL:when=" + std::to_string(number))});
    const int exit_code = victim.exit_code().value_or(-1000);
    EXPECT_TRUE(exit_code == 0 || exit_code == -SIGKILL) << exit_code << victim.notes();
    return exit_code == -SIGKILL;
  }

  // The walk over the segments of the whole system can be long, and all its steps are alike.
  static constexpr int most_calls = 25;
};

TEST_P(KillPoint, TheOthersAndANewcomerShowTheTruth) {
  Copy survivor = start_alone();
  for (int number = 1; number <= most_calls && live_until(number); ++number) {
    SCOPED_TRACE("killed at call " + std::to_string(number));
    ASSERT_TRUE(all_show({&survivor}, 1));
    Copy newcomer = start();
    ASSERT_TRUE(newcomer.prints("joined"));
    ASSERT_EQ(live_on(newcomer.lines().front()), 2);
    ASSERT_TRUE(all_show({&survivor, &newcomer}, 2));
    ASSERT_EQ(newcomer.stop(), 0);
  }
  EXPECT_EQ(survivor.stop(), 0);
  EXPECT_TRUE(nothing_is_left());
}

TEST_P(KillPoint, WhoComesNextIsAloneAndLeavesNothing) {
  for (int number = 1; number <= most_calls && live_until(number); ++number) {
    SCOPED_TRACE("killed at call " + std::to_string(number));
    Copy next = start();
    ASSERT_TRUE(next.prints("joined"));
    ASSERT_EQ(live_on(next.lines().front()), 1);
    ASSERT_EQ(next.stop(), 0);
    ASSERT_TRUE(nothing_is_left());
  }
}

INSTANTIATE_TEST_SUITE_P(Call, KillPoint,
                         testing::Values("set_robust_list", "timer_create", "rt_sigaction", "shmget", "shmat", "mlock2",
                                         "madvise", "shmctl", "futex", "futex_waitv", "write", "timer_delete",
                                         "exit_group"),
                         [](const auto& test) { return std::string{test.param}; });

}  // namespace
}  // namespace share_data::test
