// A process under ptrace(2): it runs one instruction at a time, or at full speed to a chosen one.
#pragma once

#include <sys/ptrace.h>
#include <sys/user.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>

#include "copies.h"

namespace share_data::test {

using Address = std::uint64_t;

/// A system call that is about to be made: its number and its second argument.
struct Call {
  long number;
  std::uint64_t second;
};

/// A process of one thread. All of it throws std::system_error.
class Tracee {
 public:
  /// A child that has called ptrace(PTRACE_TRACEME) before exec, and so stops at the start of the program.
  [[nodiscard]] static Tracee from_start(pid_t pid) {
    Tracee tracee{pid};
    if (!tracee.finish_step()) throw std::system_error(ECHILD, std::system_category(), "ptrace PTRACE_TRACEME");
    tracee.ask(PTRACE_SETOPTIONS, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    return tracee;
  }

  /// A child that runs already, and that makes the system call `number` and waits in it: in the middle of a step.
  [[nodiscard]] static Tracee in_call(pid_t pid, long number) {
    Tracee tracee{pid};
    tracee.ask(PTRACE_SEIZE, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    tracee.ask(PTRACE_INTERRUPT);
    tracee.finish_step();
    tracee.run_to_call(number);
    tracee.resume(PTRACE_SINGLESTEP);
    if (!eventually([&] { return call_of(pid) == number; })) throw std::runtime_error{"it does not wait in the call"};
    return tracee;
  }

  /// Runs until it is on the way into the system call `number`. The next step makes the call.
  void run_to_call(long number) {
    __ptrace_syscall_info info{};
    do {
      resume_and_wait(PTRACE_SYSCALL);
      ask(PTRACE_GET_SYSCALL_INFO, sizeof info, reinterpret_cast<std::uint64_t>(&info));
    } while (info.op != PTRACE_SYSCALL_INFO_ENTRY || static_cast<long>(info.entry.nr) != number);
  }

  /// Sends it a signal, which it gets with the next step. All other signals are suppressed.
  void deliver(int signal) {
    delivered_ = signal;
    check(kill(pid_, signal), "kill");
  }

  /// Runs one instruction; a system call is one too. False if the process ended with it.
  bool step() {
    resume(PTRACE_SINGLESTEP);
    return finish_step();
  }

  /// The second half of a step that makes a system call that waits.
  bool finish_step() {
    constexpr int stopped_in_call = SIGTRAP | 0x80;  // PTRACE_O_TRACESYSGOOD
    for (;;) {
      int status = 0;
      check(waitpid(pid_, &status, __WALL), "waitpid");
      if (!WIFSTOPPED(status)) return false;
      const int signal = WSTOPSIG(status);
      if (signal == SIGTRAP || signal == stopped_in_call) break;
      resume(last_request_, signal == delivered_ ? std::exchange(delivered_, 0) : 0);
    }
    ask(PTRACE_GETREGS, 0, reinterpret_cast<std::uint64_t>(&registers_));
    return true;
  }

  /// Runs until it has come to the instruction at `address` the `passes`th time; where it stands counts. False if it
  /// came to `end` before and is about to make the system call `last_call` there.
  bool run_to(Address address, int passes, Address end, long last_call) {
    for (;; step()) {
      if (registers_.rip != address) {
        break_at(address, end);
        resume_and_wait(PTRACE_CONT);
        break_at(address, end, false);
      }
      if (registers_.rip == address && --passes == 0) return true;
      if (registers_.rip == end && next_call().value().number == last_call) return false;
    }
  }

  /// Lets go of it, stopped as if by Ctrl+Z: the signal waits for it to run, and comes before its next instruction.
  void leave_stopped() {
    check(kill(pid_, SIGSTOP), "kill");
    ask(PTRACE_DETACH);
  }

  [[nodiscard]] Address address() const { return registers_.rip; }

  /// The system call that the next instruction makes, if it makes one.
  [[nodiscard]] std::optional<Call> next_call() const {
    constexpr long syscall_instruction = 0x050f;
    errno = 0;
    const long next_bytes = ptrace(PTRACE_PEEKTEXT, pid_, registers_.rip, nullptr);  // the first one lowest
    if (errno != 0) throw std::system_error(errno, std::system_category(), "ptrace PTRACE_PEEKTEXT");
    if ((next_bytes & 0xffff) != syscall_instruction) return std::nullopt;
    return Call{static_cast<long>(registers_.rax), registers_.rsi};
  }

 private:
  explicit Tracee(pid_t pid) : pid_(pid) {}

  void ask(__ptrace_request request, std::uint64_t address = 0, std::uint64_t data = 0) const {
    check(ptrace(request, pid_, address, data), "ptrace");
  }

  void resume(__ptrace_request request, int signal = 0) {
    last_request_ = request;
    ask(request, 0, static_cast<std::uint64_t>(signal));
  }

  void resume_and_wait(__ptrace_request request) {
    resume(request);
    if (!finish_step()) throw std::system_error(ESRCH, std::system_category(), "the process ended while it ran");
  }

  /// The processor's own breakpoints leave the code as it is. Register 7 has two bits for each of the first four, the
  /// lower one of which turns it on; all other bits 0 means: when an instruction is about to be run.
  void break_at(Address first, Address second, bool on = true) const {
    for (const auto& [number, value] : {std::pair<unsigned, Address>{0, first}, {1, second}, {7, on ? 0b0101 : 0}}) {
      ask(PTRACE_POKEUSER, offsetof(user, u_debugreg) + sizeof value * number, value);
    }
  }

  pid_t pid_;
  int delivered_ = 0;
  __ptrace_request last_request_ = PTRACE_CONT;
  user_regs_struct registers_{};
};

}  // namespace share_data::test
