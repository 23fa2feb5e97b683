#include "tracee.h"

#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <system_error>

namespace share_data::test {
namespace {

constexpr int stopped_in_call = SIGTRAP | 0x80;  // PTRACE_O_TRACESYSGOOD

long check(long result, const char* call) {
  if (result == -1) throw std::system_error(errno, std::system_category(), call);
  return result;
}

// ptrace(2) takes numbers as pointers.
void* as_pointer(std::uint64_t value) {
  return reinterpret_cast<void*>(value);  // NOLINT(performance-no-int-to-ptr)
}

}  // namespace

bool Tracee::fix_addresses() { return personality(ADDR_NO_RANDOMIZE) != -1; }

void Tracee::stop_at_start() { ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); }

Tracee Tracee::from_start(pid_t pid) {
  Tracee tracee{pid};
  if (!tracee.wait_for_stop()) throw std::system_error(ECHILD, std::system_category(), "ptrace PTRACE_TRACEME");
  check(ptrace(PTRACE_SETOPTIONS, pid, nullptr, as_pointer(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)),
        "ptrace PTRACE_SETOPTIONS");
  return tracee;
}

Tracee Tracee::from_now(pid_t thread) {
  Tracee tracee{thread};
  check(ptrace(PTRACE_SEIZE, thread, nullptr, as_pointer(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)),
        "ptrace PTRACE_SEIZE");
  check(ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr), "ptrace PTRACE_INTERRUPT");
  tracee.wait_for_stop();
  return tracee;
}

void Tracee::reap(pid_t pid) const {
  int status = 0;
  while (pid_ != pid && waitpid(pid_, &status, __WALL) == pid_ && WIFSTOPPED(status)) {
  }
}

void Tracee::run_to_call(long number) {
  for (;;) {
    resume(PTRACE_SYSCALL);
    __ptrace_syscall_info info{};
    check(ptrace(PTRACE_GET_SYSCALL_INFO, pid_, as_pointer(sizeof info), &info), "ptrace PTRACE_GET_SYSCALL_INFO");
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY && static_cast<long>(info.entry.nr) == number) return;
  }
}

bool Tracee::step() {
  check(ptrace(PTRACE_SINGLESTEP, pid_, nullptr, nullptr), "ptrace PTRACE_SINGLESTEP");
  return wait_for_stop();
}

bool Tracee::run_to(Address address, int passes, Address end) {
  for (;;) {
    break_at(address, end);
    resume(PTRACE_CONT);
    break_at(0, 0);
    if (registers_.rip != address) return false;
    if (--passes == 0) return true;
    step();
  }
}

std::optional<Call> Tracee::next_call() const {
  if ((next_bytes() & 0xffff) != 0x050f) return std::nullopt;
  return Call{static_cast<long>(registers_.rax), registers_.rdi, registers_.rsi};
}

bool Tracee::next_is_atomic() const {
  std::uint64_t bytes = next_bytes();
  if ((bytes & 0xff) == 0xf0) return true;                   // lock
  if ((bytes & 0xf0) == 0x40) bytes >>= 8U;                  // a REX prefix
  return (bytes & 0xfe) == 0x86 || next_call().has_value();  // xchg with memory
}

void Tracee::resume(int request) {
  check(ptrace(static_cast<__ptrace_request>(request), pid_, nullptr, nullptr), "ptrace");
  if (!wait_for_stop()) throw std::system_error(ESRCH, std::system_category(), "the process ended while it ran");
}

/// Signals do not get through to it: those that the program knows it has blocked, and waits for.
bool Tracee::wait_for_stop() {
  int status = 0;
  check(waitpid(pid_, &status, __WALL), "waitpid");
  if (!WIFSTOPPED(status)) return false;
  const int signal = WSTOPSIG(status);
  if (signal != SIGTRAP && signal != stopped_in_call) {
    throw std::system_error(EINTR, std::system_category(), "the process was stopped by another signal");
  }
  check(ptrace(PTRACE_GETREGS, pid_, nullptr, &registers_), "ptrace PTRACE_GETREGS");
  return true;
}

// The processor's own breakpoints stop one thread and leave the code as it is, which the others run too. Register 7
// has two bits for each of the first four, the lower one of which turns it on; all other bits 0 means: where an
// instruction is about to be run.
void Tracee::break_at(Address first, Address second) {
  set_debug_register(7, 0);
  if (first == 0) return;
  set_debug_register(0, first);
  set_debug_register(1, second);
  set_debug_register(7, 0b0101);
}

void Tracee::set_debug_register(unsigned number, std::uint64_t value) {
  const std::size_t offset = offsetof(user, u_debugreg) + sizeof(std::uint64_t) * number;
  check(ptrace(PTRACE_POKEUSER, pid_, as_pointer(offset), as_pointer(value)), "ptrace PTRACE_POKEUSER");
}

std::uint64_t Tracee::next_bytes() const {
  errno = 0;
  const long bytes = ptrace(PTRACE_PEEKTEXT, pid_, as_pointer(registers_.rip), nullptr);
  if (errno != 0) throw std::system_error(errno, std::system_category(), "ptrace PTRACE_PEEKTEXT");
  return static_cast<std::uint64_t>(bytes);
}

}  // namespace share_data::test
