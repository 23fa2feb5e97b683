// A process under ptrace(2): it runs one instruction at a time, or at full speed to a chosen one.
#pragma once

#include <sys/types.h>
#include <sys/user.h>

#include <cstdint>
#include <optional>

namespace share_data::test {

using Address = std::uint64_t;

/// A system call that is about to be made: its number and its first two arguments.
struct Call {
  long number;
  std::uint64_t first;
  std::uint64_t second;
};

/// One thread of a process. The others run on. All of it throws std::system_error.
class Tracee {
 public:
  /// For the child, before exec: the program gets the same addresses each time. False where that is not
  /// allowed.
  static bool fix_addresses();

  /// For the child, before exec: it stops as soon as it runs the program.
  static void stop_at_start();

  /// A child that stops at the start.
  [[nodiscard]] static Tracee from_start(pid_t pid);

  /// A thread of a child that runs already.
  [[nodiscard]] static Tracee from_now(pid_t thread);

  /// After a SIGKILL: makes sure that the end of this thread, which the tracer has to be told of, does not hide
  /// that of the process `pid`.
  void reap(pid_t pid) const;

  /// Runs until it is on the way into the system call `number`. The next step makes the call.
  void run_to_call(long number);

  /// Runs one instruction; a system call is one too. False if the process ended with it.
  bool step();

  /// Runs until it has come to the instruction at `address` the `passes`th time; where it stands counts. False
  /// where it came to `end` before.
  bool run_to(Address address, int passes, Address end);

  [[nodiscard]] Address address() const { return registers_.rip; }

  /// The system call that the next instruction makes, if it makes one.
  [[nodiscard]] std::optional<Call> next_call() const;

  /// Whether the next instruction is a system call, or one that others see whole or not at all: with a `lock`
  /// prefix, or `xchg`.
  [[nodiscard]] bool next_is_atomic() const;

 private:
  explicit Tracee(pid_t pid) : pid_(pid) {}

  void resume(int request);
  bool wait_for_stop();
  void break_at(Address first, Address second);
  void set_debug_register(unsigned number, std::uint64_t value);
  [[nodiscard]] std::uint64_t next_bytes() const;

  pid_t pid_;
  user_regs_struct registers_{};
};

}  // namespace share_data::test
