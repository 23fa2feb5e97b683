// Signals of all kinds, to one copy or to many at once.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "at_rest.h"

namespace share_data::test {
namespace {

class Signals : public AtRestTest {
 protected:
  /// In the child: the processes with the same leader are one process group; 0: this one leads.
  static std::function<void()> in_group_of(pid_t leader) {
    return [leader] { setpgid(0, leader); };
  }

  /// Copies in slots from the next free one on, all in one process group.
  Copies start_group(int count) const {
    Copies copies = start_in_order(1, {.before_exec = in_group_of(0)});
    Copies rest = start_in_order(count - 1, {.before_exec = in_group_of(copies.front().pid())});
    std::ranges::move(rest, std::back_inserter(copies));
    return copies;
  }

  static void kill_group(Copies& copies) {
    ASSERT_EQ(kill(-copies.front().pid(), SIGKILL), 0);
    for (Copy& copy : copies) EXPECT_EQ(copy.exit_code(), -SIGKILL);
  }
};

/// A directory for core dumps.
class Scratch {
 public:
  Scratch() { EXPECT_NE(mkdtemp(path_.data()), nullptr); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  Scratch(Scratch&&) = delete;
  Scratch& operator=(Scratch&&) = delete;
  ~Scratch() { std::filesystem::remove_all(path_); }
  [[nodiscard]] const char* path() const { return path_.c_str(); }

 private:
  std::string path_ = (std::filesystem::temp_directory_path() / "share_data_XXXXXX").string();
};

TEST_F(Signals, EachOneThatKillsIsSeenAsADeath) {
  const Scratch scratch;
  for (const rlim_t core : {rlim_t{0}, RLIM_INFINITY}) {
    Copies copies = start_in_order(2);
    for (int number = 1; number <= SIGRTMAX; ++number) {
      struct sigaction action {};
      constexpr std::array others{SIGHUP,  SIGINT,  SIGQUIT, SIGPIPE, SIGALRM, SIGTERM, SIGCHLD,
                                  SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG,  SIGWINCH};
      const bool fatal = sigaction(number, nullptr, &action) == 0 && std::ranges::count(others, number) == 0;
      // The sanitizers catch these.
      if (!fatal || (sanitized && (number == SIGSEGV || number == SIGBUS || number == SIGFPE))) continue;
      Copy victim = start(Launch{.before_exec = [&] {
        const rlimit limit{.rlim_cur = sanitized ? 0 : core, .rlim_max = RLIM_INFINITY};
        setrlimit(RLIMIT_CORE, &limit);
        if (chdir(scratch.path()) != 0) _exit(1);
      }});
      ASSERT_TRUE(all_show({&copies[0], &copies[1], &victim}, 3));
      victim.signal(number);
      const std::string line = "2 live  x " + std::to_string(victim.pid()) + " was killed";
      EXPECT_TRUE(copies[0].prints(line)) << number;
      EXPECT_TRUE(copies[1].prints(line)) << number;
      EXPECT_EQ(victim.exit_code(), -number);
    }
    expect_all_is_well(copies);
  }
}

TEST_F(Signals, OneCallThatKillsAllButOneIsSeen) {
  Copies copies = start_in_order(1);
  Copies group = start_group(scaled(60) - 1);
  ASSERT_TRUE(all_show(copies, scaled(60)));
  kill_group(group);
  expect_all_is_well(copies);
}

TEST_F(Signals, OneCallThatKillsARunOfNeighboursIsSeenByAllOthers) {
  for (const int run : {2, 5, 20}) {
    Copies copies = start_in_order(10);
    Copies group = start_group(run);
    Copies more = start_in_order(10);
    std::ranges::move(more, std::back_inserter(copies));
    ASSERT_TRUE(all_show(copies, 20 + run));
    kill_group(group);
    expect_all_is_well(copies);
  }
}

TEST_F(Signals, AThousandRequestsASecondDuringTheStartEndItCleanly) {
  Copies copies = start_in_order(1);
  for (int round = 0; round < scaled(50); ++round) {
    Copy victim = start();
    EXPECT_TRUE(eventually([&] {
      victim.signal(SIGTERM);
      return victim.ended();
    }));
    const int code = victim.exit_code().value_or(-1000);
    EXPECT_TRUE(code == 0 || (code == -SIGTERM && victim.lines().empty())) << code << victim.notes();
    ASSERT_TRUE(all_show(copies, 1));
  }
  expect_all_is_well(copies);
}

TEST_F(Signals, RequestsThatWereIgnoredOrBlockedBeforeTheStartAreObeyed) {
  for (const int number : {SIGTERM, SIGINT, SIGQUIT}) {
    for (const bool ignored : {false, true}) {
      Copies copies = start_in_order(2, {.before_exec = [&] {
                                       sigset_t all{};
                                       sigfillset(&all);
                                       if (!ignored) sigprocmask(SIG_SETMASK, &all, nullptr);
                                       for (int each = 1; ignored && each <= SIGRTMAX; ++each) ::signal(each, SIG_IGN);
                                     }});
      Copy leaving = take(copies, 1);
      ASSERT_TRUE(all_show({&copies[0], &leaving}, 2));
      leaving.signal(number);
      EXPECT_EQ(leaving.exit_code(), 0);
      EXPECT_TRUE(copies[0].prints("1 live  - " + std::to_string(leaving.pid())));
      expect_all_is_well(copies);
    }
  }
}

TEST_F(Signals, AStoppedCopyThatIsKilledIsSeenAsADeath) {
  Copies copies = start_in_order(3);
  Copy victim = take(copies, 1);
  ASSERT_TRUE(all_show({&copies[0], &copies[1], &victim}, 3));
  victim.signal(SIGSTOP);
  ASSERT_TRUE(is_stopped(victim));
  victim.signal(SIGKILL);
  EXPECT_TRUE(copies[0].prints("2 live  x " + std::to_string(victim.pid()) + " was killed"));
  expect_all_is_well(copies);
}

}  // namespace
}  // namespace share_data::test
