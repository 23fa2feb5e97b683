// Child processes of a test.
#pragma once

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdio>
#include <functional>

#include "system_calls.h"
#include "table.h"

namespace share_data::test {

/// A child that runs a function of the test.
class Child {
 public:
  /// The child runs `life` and exits: with 1 if a check of the test failed in it, else with 0. It does not outlive us.
  explicit Child(const std::function<void()>& life) {
    std::fflush(nullptr);  // or the child would write it once more
    pid_ = check(fork(), "fork");
    if (pid_ == 0) live(life);
  }
  Child(Child&&) = delete;
  ~Child() { end(); }

  [[nodiscard]] pid_t pid() const { return pid_; }

  /// Waits for its end: the exit code, or minus the number of the signal that killed it.
  int wait() {
    int status = 0;
    waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  /// Kills it if it still runs, and takes it out of the process table.
  void end() {
    if (pid_ < 0) return;
    kill(pid_, SIGKILL);
    wait();
  }

 private:
  /// An exception must not get into the test's own code, which goes on in the parent.
  [[noreturn]] static void live(const std::function<void()>& life) noexcept {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    life();
    std::fflush(nullptr);
    _exit(testing::Test::HasFailure() ? 1 : 0);
  }

  pid_t pid_;
};

/// To be mistaken for a copy: a child that sleeps, and ends if anybody sends it a signal.
class Bystander : public Child {
 public:
  Bystander() : Child(wait_for_signal) {}

  [[nodiscard]] Word tid() const { return static_cast<Word>(pid()); }

  /// Whether it runs and no signal has come.
  [[nodiscard]] bool is_unharmed() const {
    siginfo_t info{};
    const auto id = static_cast<id_t>(pid());
    return waitid(P_PID, id, &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
  }

 private:
  static void wait_for_signal() {
    sigset_t all{};
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, nullptr);
    int received = 0;
    sigwait(&all, &received);
  }
};

/// Fills a slot as the copy does that has this owner word, its alarm words included.
inline void occupy(Slot& slot, Word owner) {
  for (Slot::Alarm& alarm : slot.alarms) alarm.word = running_word(tid_of(owner));
  slot.owner = owner;
}

/// The TID of a process that has ended.
[[nodiscard]] inline Word tid_of_the_dead() { return Bystander{}.tid(); }

}  // namespace share_data::test
