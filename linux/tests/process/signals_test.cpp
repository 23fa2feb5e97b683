// Signals of all kinds, to one copy or to many at once.
#include <sys/resource.h>

#include <algorithm>

#include "copies.h"

namespace share_data::test {
namespace {

using Signals = CopiesTest;

/// Those that end a process which does not ask for them, and which the program does not ask for.
bool is_fatal(int number) {
  constexpr std::array others{SIGHUP,  SIGINT,  SIGQUIT, SIGPIPE, SIGALRM, SIGTERM,  SIGCHLD, SIGCONT,
                              SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG,  SIGWINCH, SIGIO};
  constexpr std::array caught_by_sanitizers{SIGSEGV, SIGBUS, SIGFPE};
  struct sigaction action = {};
  return sigaction(number, nullptr, &action) == 0 && std::ranges::count(others, number) == 0 &&
         !(sanitized && std::ranges::count(caught_by_sanitizers, number) > 0);
}

TEST_F(Signals, EachOneThatKillsIsSeenAsADeath) {
  std::filesystem::create_directory(path());  // for core dumps
  Copies copies = start_together(2);
  for (const rlim_t core : {rlim_t{0}, RLIM_INFINITY}) {
    for (int number = 1; number <= SIGRTMAX; ++number) {
      if (!is_fatal(number)) continue;
      Copy victim = start({.before_exec = [&] {
        const rlimit limit{.rlim_cur = sanitized ? 0 : core, .rlim_max = RLIM_INFINITY};
        setrlimit(RLIMIT_CORE, &limit);
        if (chdir(path().c_str()) != 0) _exit(1);
      }});
      ASSERT_TRUE(all_show({&copies[0], &copies[1], &victim}, 3));
      victim.signal(number);
      const std::string line = fmt::format("2 live  x {} was killed", victim.pid());
      for (Copy& copy : copies) EXPECT_TRUE(copy.prints(line)) << number;
      EXPECT_EQ(victim.exit_code(), -number);
    }
  }
  expect_all_is_well(copies);
}

TEST_F(Signals, OneCallThatKillsARunOfNeighboursIsSeenByAllOthers) {
  struct Slots {
    int before, killed, after;
  };
  const Slots all_but_one{1, scaled(150), 0};  // more than each can watch
  for (const auto& [before, killed, after] : {Slots{10, 2, 10}, Slots{10, 20, 10}, all_but_one}) {
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

TEST_F(Signals, AThousandRequestsASecondDuringTheStartEndItCleanly) {
  Copies copies = start_together(1);
  for (int round = 0; round < scaled(50); ++round) {
    Copy victim = start();
    EXPECT_TRUE(eventually([&] {
      victim.signal(SIGTERM);
      return victim.ended();
    }));
    EXPECT_TRUE(victim.exit_code() == 0 || (victim.exit_code() == -SIGTERM && victim.lines().empty()))
        << victim.exit_code() << victim.notes();
    ASSERT_TRUE(all_show(copies));
  }
  expect_all_is_well(copies);
}

}  // namespace
}  // namespace share_data::test
