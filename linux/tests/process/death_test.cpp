// Copies that are killed: no handler of theirs ever runs, and the count is exact all the same.
#include <memory>

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
  EXPECT_EQ(start().shown_first(), 2);
  const Microseconds start_time = std::chrono::steady_clock::now() - begin;
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
  template <typename Process, typename... Arguments>
  static std::unique_ptr<Process> make_with(pid_t pid, Arguments... arguments) {
    for (int attempt = 0; attempt < 100; ++attempt) {
      std::ofstream{"/proc/sys/kernel/ns_last_pid"} << pid - 1;  // pid_namespaces(7)
      auto process = std::make_unique<Process>(arguments...);
      if (process->pid() == pid) return process;
    }
    return nullptr;
  }
};

constexpr const char* why_not = "could not have a pid used again; writing ns_last_pid needs root";

TEST_F(ReusedPid, OfAKilledCopyHidesItsDeathNeitherFromAStoppedCopyNorFromAFreshStart) {
  Copies copies = start_together(2);
  suspend({&copies[0]});
  Copy victim = take(copies, 1);
  victim.destroy();
  const auto stranger = make_with<Bystander>(victim.pid());
  if (!stranger) GTEST_SKIP() << why_not;
  EXPECT_EQ(start().shown_first(), 2);
  copies[0].signal(SIGCONT);
  EXPECT_TRUE(copies[0].prints(fmt::format("1 live  x {} was killed", victim.pid())));
  destroy(copies);
  EXPECT_EQ(start().shown_first(), 1);
  EXPECT_TRUE(stranger->is_unharmed());
}

TEST_F(ReusedPid, CountsIfAnotherCopyHasIt) {
  Copy witness = start();
  Copy victim = start();
  for (const bool clean : {true, false}) {
    ASSERT_TRUE(all_show({&witness, &victim}, 2));
    clean ? (void)victim.stop() : victim.destroy();
    const auto successor = make_with<Copy>(victim.pid(), key());
    if (!successor) GTEST_SKIP() << why_not;
    EXPECT_EQ(successor->shown_first(), 2);
    EXPECT_TRUE(witness.prints(fmt::format("{} {}", clean ? '-' : 'x', victim.pid()))) << witness.output();
    ASSERT_TRUE(all_show({&witness, &*successor}, 2));
    victim = std::move(*successor);
  }
  expect_clean_end({&witness, &victim});
}

// What a line says about a copy does not depend on who has used its slot since, or on how late it is noticed.
using WhoEndedHow = CopiesTest;

TEST_F(WhoEndedHow, AStoppedCopyTellsKilledFromLeftAlthoughTheSlotsWereUsedSince) {
  for (const auto& options : {std::vector<std::string>{}, {"--json"}}) {
    Copy witness = start({.options = options});
    Copies others;
    for (int live = 2; live <= 5; ++live) {
      others.push_back(start());
      ASSERT_TRUE(all_show({&witness, &others.back()}, live));
    }
    suspend({&witness});
    for (std::size_t i = 0; i < others.size(); ++i) {
      i % 2 == 0 ? others[i].destroy() : (void)others[i].stop();
      for (int again = 0; again < 3; ++again) EXPECT_EQ(ask_here({"--for", "0.01"}).exit_code, 0);
    }
    witness.signal(SIGCONT);
    ASSERT_TRUE(all_show({&witness}, 1));
    const char* const format = options.empty() ? "- {1} {3}  x {0} {2} were" : R"("left":[{1},{3}],"killed":[{0},{2}])";
    EXPECT_TRUE(contains(witness.output(), fmt::format(fmt::runtime(format), others[0].pid(), others[1].pid(),
                                                       others[2].pid(), others[3].pid())));
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
  EXPECT_EQ(ask_here({"--for", "0.01"}).exit_code, 0);
  witness.signal(SIGCONT);
  EXPECT_TRUE(witness.prints(fmt::format("1 live  ? {}", victim.pid()))) << witness.output();
  expect_clean_end({&witness});
}

}  // namespace
}  // namespace share_data::test
