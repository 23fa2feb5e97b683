// Signals of all kinds, to one copy or to many at once.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>

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
  for (const rlim_t core : {rlim_t{0}, RLIM_INFINITY}) {
    Copies copies = start_together(2);
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
    expect_all_is_well(copies);
  }
}

TEST_F(Signals, OneCallThatKillsARunOfNeighboursIsSeenByAllOthers) {
  struct Slots {
    int before, killed, after;
  };
  const Slots all_but_one{1, scaled(150), 0};  // more than each can watch
  for (const auto& [before, killed, after] : {Slots{10, 2, 10}, Slots{10, 5, 10}, Slots{10, 20, 10}, all_but_one}) {
    Copies copies = start_in_order(before);
    pid_t leader = 0;  // of the process group: the first of them
    Copies group;
    for (int i = 0; i < killed; ++i) {
      std::ranges::move(start_in_order(1, {.before_exec = [&] { setpgid(0, leader); }}), std::back_inserter(group));
      leader = group.front().pid();
    }
    std::ranges::move(start_in_order(after), std::back_inserter(copies));
    ASSERT_TRUE(all_show(copies, before + killed + after));
    ASSERT_EQ(kill(-leader, SIGKILL), 0);
    for (Copy& copy : group) EXPECT_EQ(copy.exit_code(), -SIGKILL);
    expect_all_is_well(copies);
  }
}

TEST_F(Signals, AnyThatAsksItToLeaveIsACleanExit) {
  Copy witness = start_alone();
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    Copy other = start();
    EXPECT_TRUE(witness.prints(fmt::format("2 live  + {}", other.pid())));
    ASSERT_TRUE(all_show({&witness, &other}, 2));
    other.signal(number);
    EXPECT_EQ(other.exit_code(), 0) << "signal " << number;
    EXPECT_TRUE(witness.prints(fmt::format("1 live  - {}", other.pid())));
  }
}

TEST_F(Signals, UnderNohupACopyIgnoresOnlySIGHUP) {
  Copy copy = start({.through = {"nohup"}});
  ASSERT_TRUE(all_show({&copy}, 1));
  copy.signal(SIGHUP);
  Copy other = start();
  EXPECT_TRUE(all_show({&copy, &other}, 2));
  EXPECT_EQ(copy.stop(), 0);
}

TEST_F(Signals, OneThatComesAtOnceLeavesNothingBehind) {
  for (int i = 0; i < scaled(50); ++i) {
    Copy copy = start();
    EXPECT_TRUE(eventually([&] { return segment_of(key()) || copy.ended(); }));
    EXPECT_EQ(copy.stop(), 0);
  }
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(Signals, AThousandRequestsASecondDuringTheStartEndItCleanly) {
  Copies copies = start_together(1);
  for (int round = 0; round < scaled(50); ++round) {
    Copy victim = start();
    EXPECT_TRUE(eventually([&] {
      victim.signal(SIGTERM);
      return victim.ended();
    }));
    const int code = victim.exit_code().value_or(-1000);
    EXPECT_TRUE(code == 0 || (code == -SIGTERM && victim.lines().empty())) << code << victim.notes();
    ASSERT_TRUE(all_show(copies));
  }
  expect_all_is_well(copies);
}

// A shell script starts what it puts into the background with SIGINT ignored.
TEST_F(Signals, RequestsThatWereIgnoredOrBlockedBeforeTheStartAreObeyed) {
  for (const int number : {SIGTERM, SIGINT, SIGQUIT}) {
    for (const bool ignored : {false, true}) {
      Copies copies = start_many(2, {.before_exec = [&] {
                                   sigset_t all{};
                                   sigfillset(&all);
                                   if (!ignored) sigprocmask(SIG_SETMASK, &all, nullptr);
                                   for (int each = 1; ignored && each <= SIGRTMAX; ++each) ::signal(each, SIG_IGN);
                                 }});
      ASSERT_TRUE(all_show(copies));
      Copy leaving = take(copies, 1);
      leaving.signal(number);
      EXPECT_EQ(leaving.exit_code(), 0);
      EXPECT_TRUE(copies[0].prints(fmt::format("1 live  - {}", leaving.pid())));
      expect_all_is_well(copies);
    }
  }
}

}  // namespace
}  // namespace share_data::test
