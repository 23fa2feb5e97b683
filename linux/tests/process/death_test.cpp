// Copies that are killed: no handler of theirs ever runs, and the count is exact all the same. And other signals.
#include <sys/resource.h>

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

/// Makes a process, again and again, until it has the pid of a copy that is no more. Null if we cannot have it.
template <typename Process, typename... Arguments>
std::unique_ptr<Process> make_with(pid_t pid, Arguments... arguments) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    std::ofstream{"/proc/sys/kernel/ns_last_pid"} << pid - 1;  // pid_namespaces(7)
    auto process = std::make_unique<Process>(arguments...);
    if (process->pid() == pid) return process;
  }
  return nullptr;
}

constexpr const char* why_not = "could not have a pid used again; writing ns_last_pid needs root";

using ReusedPid = CopiesTest;

TEST_F(ReusedPid, HidesNoDeathAndCountsOnlyIfAnotherCopyHasIt) {
  Copies copies = start_together(2);
  Copy victim = start();
  ASSERT_TRUE(all_show({&copies[0], &copies[1], &victim}, 3));
  suspend({&copies[0]});
  victim.destroy();
  {
    const auto stranger = make_with<Bystander>(victim.pid());
    if (!stranger) GTEST_SKIP() << why_not;
    EXPECT_EQ(start().shown_first(), 3);
    copies[0].signal(SIGCONT);
    EXPECT_TRUE(copies[0].prints(fmt::format("2 live  x {} was killed", victim.pid())));
    EXPECT_TRUE(stranger->is_unharmed());
  }
  for (const bool clean : {true, false}) {
    auto successor = make_with<Copy>(victim.pid(), key());
    if (!successor) GTEST_SKIP() << why_not;
    ASSERT_TRUE(all_show({&copies[0], &copies[1], &*successor}, 3));
    victim = std::move(*successor);
    clean ? (void)victim.stop() : victim.destroy();
    EXPECT_TRUE(copies[1].prints(fmt::format("2 live  {} {}", clean ? '-' : 'x', victim.pid())));
  }
  expect_all_is_well(copies);
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
      for (int again = 0; again < 3; ++again) EXPECT_EQ(ask_here({"--for", "0.01"}).exit_code(), 0);
    }
    witness.signal(SIGCONT);
    ASSERT_TRUE(all_show({&witness}, 1));
    const char* const format = options.empty() ? "- {1} {3}  x {0} {2} were" : R"("left":[{1},{3}],"killed":[{0},{2}])";
    EXPECT_TRUE(contains(witness.output(), fmt::format(fmt::runtime(format), others[0].pid(), others[1].pid(),
                                                       others[2].pid(), others[3].pid())));
    expect_clean_end({&witness});
  }
}

TEST_F(WhoEndedHow, IsSaidToBeUnknownIfMoreHaveLeftSinceThanTheListIsSureToHold) {
  Copy witness = start();
  for (const auto& [left, sign] : {std::pair{513U, '?'}, {512U, 'x'}}) {
    Copy victim = start();
    ASSERT_TRUE(all_show({&witness, &victim}, 2));
    suspend({&witness});
    victim.destroy();
    RawSegment{key()}.table().left_count += left - 1;
    EXPECT_EQ(ask_here({"--for", "0.01"}).exit_code(), 0);
    witness.signal(SIGCONT);
    EXPECT_TRUE(witness.prints(fmt::format("1 live  {} {}", sign, victim.pid()))) << witness.output();
  }
  expect_clean_end({&witness});
}

using Signals = CopiesTest;

TEST_F(Signals, EachOneThatKillsIsSeenAsADeath) {
  std::filesystem::create_directory(path());  // for core dumps
  Copies copies = start_together(2);
  for (const int number : {SIGKILL, SIGABRT, SIGSYS, SIGUSR1, SIGVTALRM, SIGRTMIN, SIGRTMAX}) {
    Copy victim = start({.before_exec = [&] {
      const rlimit core{.rlim_cur = sanitized ? 0 : RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
      setrlimit(RLIMIT_CORE, &core);
      if (chdir(path().c_str()) != 0) _exit(1);
    }});
    ASSERT_TRUE(all_show({&copies[0], &copies[1], &victim}, 3));
    victim.signal(number);
    const std::string line = fmt::format("2 live  x {} was killed", victim.pid());
    for (Copy& copy : copies) EXPECT_TRUE(copy.prints(line)) << number;
    EXPECT_EQ(victim.exit_code(), -number);
  }
  expect_all_is_well(copies);
}

TEST_F(Signals, OneCallThatKillsARunOfNeighboursIsSeenByAllOthers) {
  for (const auto& [before, killed, after] :
       {std::tuple{10, 20, 10}, {1, scaled(150), 0}}) {  // the second is more than each can watch
    Copies copies = start_in_order(before);
    pid_t leader = 0;  // of the process group: the first of them
    Copies group;
    for (int i = 0; i < killed; ++i) {
      add(group, start_in_order(1, {.before_exec = [&] { setpgid(0, leader); }}));
      leader = group.front().pid();
    }
    add(copies, start_in_order(after));
    ASSERT_TRUE(all_show(copies, before + killed + after));
    ASSERT_EQ(kill(-leader, SIGKILL), 0);
    for (Copy& copy : group) EXPECT_EQ(copy.exit_code(), -SIGKILL);
    expect_all_is_well(copies);
  }
}

// A shell script starts what it puts into the background with SIGINT ignored. nohup(1) has it ignore SIGHUP.
TEST_F(Signals, AnyThatAsksItToLeaveIsACleanExitEvenIfItWasIgnoredOrBlockedBeforeTheStart) {
  enum { as_usual, ignored, blocked };
  Copy witness = start_alone();
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    for (const int before : {as_usual, ignored, blocked}) {
      Copy copy = start({.before_exec = [=] {
        sigset_t all{};
        sigfillset(&all);
        if (before == blocked) sigprocmask(SIG_SETMASK, &all, nullptr);
        if (before == ignored) ::signal(number, SIG_IGN);
      }});
      ASSERT_TRUE(all_show({&witness, &copy}, 2));
      copy.signal(number);
      if (number == SIGHUP && before == ignored) {
        EXPECT_TRUE(all_sleep({&copy}));
        EXPECT_EQ(copy.stop(), 0);
      }
      EXPECT_EQ(copy.exit_code(), 0) << "signal " << number;
      EXPECT_TRUE(witness.prints(fmt::format("1 live  - {}", copy.pid())));
    }
  }
  expect_clean_end({&witness});
}

using Memory = CopiesTest;

// The kernel marks nothing that was swapped out and that it cannot read back, and nothing before a core dump is
// written.
TEST_F(Memory, OfTheListAndTheTableIsLockedAndTheTableIsInNoCoreDump) {
  if (geteuid() != 0 || sanitized) GTEST_SKIP() << "root may lock as much as it likes, but a sanitizer locks nothing";
  const Copy copy = start_alone();
  std::ifstream file{fmt::format("/proc/{}/smaps", copy.pid())};
  const std::string smaps{std::istreambuf_iterator<char>{file}, {}};
  const auto flags_of = [&](const char* mapping) {
    const auto begin = smaps.find("VmFlags:", smaps.find(mapping));
    return smaps.substr(begin, smaps.find('\n', begin) - begin);
  };
  EXPECT_TRUE(contains(flags_of("/dev/zero"), " lo")) << "the list";
  for (const char* const flag : {" lo", " dd"}) EXPECT_TRUE(contains(flags_of("/SYSV"), flag));
}

}  // namespace
}  // namespace share_data::test
