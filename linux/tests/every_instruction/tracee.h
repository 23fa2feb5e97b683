// A process under ptrace(2): it runs one instruction at a time, or at full speed to a chosen one.
#pragma once

#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/user.h>

#include <array>
#include <cstdint>
#include <optional>

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
  [[nodiscard]] static Tracee from_start(pid_t pid);

  /// A child that runs already, and that makes the system call `number` and waits in it: in the middle of a step.
  [[nodiscard]] static Tracee in_call(pid_t pid, long number);

  /// Runs until it is on the way into the system call `number`. The next step makes the call.
  void run_to_call(long number);

  /// Sends it a signal, which it gets with the next step. All other signals are suppressed.
  void deliver(int signal);

  /// Runs one instruction; a system call is one too. False if the process ended with it.
  bool step();

  /// The same in two parts, for a system call that waits.
  void begin_step() { resume(PTRACE_SINGLESTEP); }
  bool finish_step();

  /// Runs until it has come to the instruction at `address` the `passes`th time; where it stands counts. False if it
  /// came to `end` before and is about to make the system call `last_call` there.
  bool run_to(Address address, int passes, Address end, long last_call);

  /// Lets go of it, stopped as if by Ctrl+Z.
  void leave_stopped();

  [[nodiscard]] Address address() const { return registers_.rip; }

  /// The first bytes of the next instruction, the first of all lowest.
  [[nodiscard]] std::uint64_t next_bytes() const;

  /// The system call that the next instruction makes, if it makes one.
  [[nodiscard]] std::optional<Call> next_call() const;

 private:
  explicit Tracee(pid_t pid) : pid_(pid) {}

  void resume(int request, int signal = 0);
  void resume_and_wait(int request);
  void break_at(Address first, Address second);
  void set_debug_register(unsigned number, std::uint64_t value);

  pid_t pid_;
  int delivered_ = 0;
  int last_request_ = 0;
  user_regs_struct registers_{};
  std::array<std::uint64_t, 8> debug_registers_{};
};

}  // namespace share_data::test
