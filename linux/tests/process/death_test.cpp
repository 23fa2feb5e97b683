// Copies that are killed: no handler of theirs ever runs, and the count is exact all the same.
#include <fstream>
#include <memory>

#include "child.h"
#include "copies.h"

namespace share_data::test {
namespace {

using Death = CopiesTest;

TEST_F(Death, TheOthersSeeAKilledCopy) {
  Copies copies = start_together(4);
  Copy victim = take(copies, 1);
  victim.signal(SIGKILL);
  const std::string line = fmt::format("3 live  x {} was killed (a plain ++/-- counter now says 4)", victim.pid());
  for (Copy& survivor : copies) EXPECT_TRUE(survivor.prints(line));
  // Until its parent asks, it keeps its entry in the process table: it is a zombie, and no running copy any more.
  EXPECT_EQ(start().shown_first(), 4);
}

TEST_F(Death, AfterAllWereKilledAFreshStartShowsOneAtOnce) {
  for (int round = 0; round < 5; ++round) {
    Copies copies = start_together(10);
    destroy(copies);
    ASSERT_TRUE(segment_of(key())) << "killed copies cannot have removed it";
    Copy fresh = start();
    EXPECT_EQ(fresh.shown_first(), 1);
    expect_clean_end({&fresh});
  }
}

TEST_F(Death, ACopyKilledAnywhereInItsStartIsNotCounted) {
  using Microseconds = std::chrono::duration<double, std::micro>;
  std::mt19937 random{seed()};
  Copy survivor = start_alone();
  // How long a start takes on this machine, so that the kills fall into it.
  const auto begin = std::chrono::steady_clock::now();
  Copy measured = start();
  ASSERT_EQ(measured.shown_first(), 2);
  const Microseconds start_time = std::chrono::steady_clock::now() - begin;
  measured.destroy();
  std::uniform_real_distribution<double> moment{0, 1.3 * start_time.count()};
  for (int round = 0; round < scaled(300) && !HasFailure(); ++round) {
    SCOPED_TRACE(round);
    Copy victim = start();
    std::this_thread::sleep_for(Microseconds{moment(random)});
    victim.destroy();
    Copy newcomer = start();
    EXPECT_EQ(newcomer.shown_first(), 2);
    EXPECT_TRUE(all_show({&survivor, &newcomer}, 2));
    EXPECT_EQ(newcomer.stop(), 0);
    EXPECT_TRUE(all_show({&survivor}, 1));
  }
  expect_clean_end({&survivor});
}

class ReusedPid : public CopiesTest {
 protected:
  /// Makes a process, again and again, until it has the pid of a copy that is no more. Null if we cannot have it.
  template <typename Make>
  static auto with_pid(pid_t pid, Make make) {
    for (int attempt = 0; attempt < 100; ++attempt) {
      std::ofstream{"/proc/sys/kernel/ns_last_pid"} << pid - 1;  // pid_namespaces(7)
      auto process = make();
      if (process->pid() == pid) return process;
    }
    return decltype(make()){};
  }

  /// It has nothing to do with the program.
  static auto stranger_with(pid_t pid) {
    return with_pid(pid, [] { return std::make_unique<Bystander>(); });
  }
};

constexpr const char* why_not = "could not have a pid used again; writing ns_last_pid needs root";

TEST_F(ReusedPid, IsNotCountedByAFreshStart) {
  Copy victim = start_alone();
  victim.destroy();
  const auto stranger = stranger_with(victim.pid());
  if (!stranger) GTEST_SKIP() << why_not;
  Copy fresh = start();
  EXPECT_EQ(fresh.shown_first(), 1);
  EXPECT_EQ(ask_here({"--status"}).output.find("1 live\n"), 0U);
  EXPECT_TRUE(stranger->is_unharmed());
}

TEST_F(ReusedPid, DoesNotHideTheDeathFromACopyThatWasStoppedMeanwhile) {
  Copies copies = start_together(2);
  copies[0].signal(SIGSTOP);
  copies[1].destroy();
  const auto stranger = stranger_with(copies[1].pid());
  copies[0].signal(SIGCONT);
  if (!stranger) GTEST_SKIP() << why_not;
  EXPECT_TRUE(copies[0].prints(fmt::format("1 live  x {} was killed", copies[1].pid())));
  EXPECT_TRUE(stranger->is_unharmed());
}

TEST_F(ReusedPid, CountsIfAnotherCopyHasIt) {
  Copy witness = start();
  Copy victim = start();
  for (const bool clean : {true, false}) {
    ASSERT_TRUE(all_show({&witness, &victim}, 2));
    clean ? (void)victim.stop() : victim.destroy();
    auto successor = with_pid(victim.pid(), [&] { return std::make_unique<Copy>(start()); });
    if (!successor) GTEST_SKIP() << why_not;
    EXPECT_EQ(successor->shown_first(), 2);
    EXPECT_TRUE(witness.prints(fmt::format("{} {}", clean ? '-' : 'x', victim.pid()))) << witness.output();
    ASSERT_TRUE(all_show({&witness, &*successor}, 2));
    victim = std::move(*successor);
  }
  victim.destroy();
  EXPECT_TRUE(all_show({&witness}, 1));
  expect_clean_end({&witness});
}

// What a line says about a copy does not depend on who has used its slot since, or on how late it is noticed.
class WhoEndedHow : public CopiesTest {
 protected:
  /// Starts a copy that uses the slot of a copy that has just ended, and leaves.
  void use_slot_again() { EXPECT_EQ(ask_here({"--for", "0.01"}).exit_code, 0); }
};

TEST_F(WhoEndedHow, AStoppedCopyTellsKilledFromLeftAlthoughTheSlotsWereUsedSince) {
  for (const auto& options : {std::vector<std::string>{}, {"--json"}}) {
    const bool json = !options.empty();
    Copy witness = start({.options = options});
    Copies others;
    for (int live = 2; live <= 5; ++live) {
      others.push_back(start());
      ASSERT_TRUE(all_show({&witness, &others.back()}, live));
    }
    suspend({&witness});
    others[0].destroy();
    use_slot_again();
    EXPECT_EQ(others[1].stop(), 0);
    use_slot_again();
    others[2].destroy();
    for (int i = 0; i < 5; ++i) use_slot_again();
    EXPECT_EQ(others[3].stop(), 0);
    witness.signal(SIGCONT);
    ASSERT_TRUE(all_show({&witness}, 1));
    const auto pids = [&](std::size_t first, std::size_t second, const char* between) {
      return fmt::format("{}{}{}", others[first].pid(), between, others[second].pid());
    };
    const std::string left = json ? "\"left\":[" + pids(1, 3, ",") + "]" : "- " + pids(1, 3, " ");
    const std::string killed = json ? "\"killed\":[" + pids(0, 2, ",") + "]" : "x " + pids(0, 2, " ") + " were killed";
    EXPECT_TRUE(contains(witness.output(), left));
    EXPECT_TRUE(contains(witness.output(), killed));
    expect_clean_end({&witness});
  }
}

TEST_F(WhoEndedHow, IsSaidToBeUnknownIfTooManyHaveLeftSince) {
  Copy witness = start();
  Copy victim = start();
  ASSERT_TRUE(all_show({&witness, &victim}, 2));
  suspend({&witness});
  victim.destroy();
  RawSegment{key()}.table().left_count += 513;
  use_slot_again();
  witness.signal(SIGCONT);
  EXPECT_TRUE(witness.prints(fmt::format("1 live  ? {}", victim.pid()))) << witness.output();
  expect_clean_end({&witness});
}

}  // namespace
}  // namespace share_data::test
