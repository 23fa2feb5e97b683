// Child processes of a test, system calls with their errors, and waiting for a condition. No test sleeps a fixed time
// to be right: it waits for what must come, as long as a busy machine could need for it.
#pragma once

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <functional>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "table.h"

namespace share_data::test {

inline constexpr bool sanitized = !std::string_view{SHARE_DATA_SANITIZERS}.empty();

/// `number`, or a part of it where a sanitizer makes every process cost many times as much.
constexpr int scaled(int number) { return sanitized ? (number + 4) / 5 : number; }

/// How long something that must come may take before the test gives up on it.
inline constexpr std::chrono::seconds patience{sanitized ? 180 : 60};

/// Looks every millisecond or so whether the condition holds. False if it never did.
template <typename Condition>
bool eventually(Condition condition, std::chrono::milliseconds limit = patience) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return condition();
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  return true;
}

/// Lets a copy get as far as it can. If this is too short, a test does not see what it is after, but passes.
inline void let_it_try() { std::this_thread::sleep_for(std::chrono::milliseconds{200}); }

/// The result of a system call. Throws std::system_error if it is -1.
template <typename Result>
Result check(Result result, const char* call) {
  if (result == Result{-1}) throw std::system_error(errno, std::system_category(), call);
  return result;
}

/// Owns a file descriptor.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd = -1) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileDescriptor() {
    if (fd_ >= 0) close(fd_);
  }

  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

/// Kernels before 5.16 do not have it, and sandboxes may forbid it. Then copies look now and then instead.
[[nodiscard]] inline bool has_futex_waitv() {
  return syscall(SYS_futex_waitv, nullptr, 0U, 0U, nullptr, 0) == 0 || errno == EINVAL;
}

/// The exit code that waitpid(2) tells, or minus the number of the signal that killed the process.
inline int code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status); }

/// A child that runs a function of the test.
class Child {
 public:
  /// The child runs `life` and exits: with 1 if a check of the test failed in it, else with 0. It does not outlive us.
  explicit Child(const std::function<void()>& life) {
    std::fflush(nullptr);  // or the child would write it once more
    const pid_t parent = getpid();
    pid_ = check(fork(), "fork");
    if (pid_ == 0) live(life, parent);
  }
  Child(Child&&) = delete;
  ~Child() { end(); }

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] Word tid() const { return static_cast<Word>(pid_); }

  /// Waits for its end: the exit code, or minus the number of the signal that killed it.
  int wait() {
    int status = 0;
    waitpid(std::exchange(pid_, -1), &status, 0);
    return code_of(status);
  }

  /// Kills it if it still runs, and takes it out of the process table.
  void end() {
    if (pid_ < 0) return;
    kill(pid_, SIGKILL);
    wait();
  }

 private:
  /// An exception must not get into the test's own code, which goes on in the parent.
  [[noreturn]] static void live(const std::function<void()>& life, pid_t parent) noexcept {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent) life();  // else it has ended before
    std::fflush(nullptr);
    _exit(testing::Test::HasFailure() ? 1 : 0);
  }

  pid_t pid_;
};

/// To be mistaken for a copy: a child that sleeps, and ends if anybody sends it a signal.
struct Bystander : Child {
  Bystander()
      : Child([] {
          sigset_t all{};
          sigfillset(&all);
          sigprocmask(SIG_BLOCK, &all, nullptr);
          int received = 0;
          sigwait(&all, &received);
        }) {}

  /// Whether it runs and no signal has come.
  [[nodiscard]] bool is_unharmed() const {
    siginfo_t info{};
    const auto id = static_cast<id_t>(pid());
    return waitid(P_PID, id, &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
  }
};

/// The TID of a process that has ended.
[[nodiscard]] inline Word tid_of_the_dead() { return Bystander{}.tid(); }

/// Fills a slot as the copy does that has this owner word, its alarm words included.
inline void occupy(Slot& slot, Word owner) {
  for (Slot::Alarm& alarm : slot.alarms) alarm.word = running_word(tid_of(owner));
  slot.owner = owner;
}

}  // namespace share_data::test
