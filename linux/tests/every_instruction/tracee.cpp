#include "tracee.h"

#include <sys/wait.h>

#include <cstddef>
#include <stdexcept>
#include <utility>

#include "copies.h"

namespace share_data::test {
namespace {

constexpr int stopped_in_call = SIGTRAP | 0x80;  // PTRACE_O_TRACESYSGOOD

// ptrace(2) takes numbers as pointers.
void* as_pointer(std::uint64_t value) { return reinterpret_cast<void*>(value); }

}  // namespace

Tracee Tracee::from_start(pid_t pid) {
  Tracee tracee{pid};
  if (!tracee.finish_step()) throw std::system_error(ECHILD, std::system_category(), "ptrace PTRACE_TRACEME");
  check(ptrace(PTRACE_SETOPTIONS, pid, nullptr, as_pointer(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)),
        "ptrace PTRACE_SETOPTIONS");
  return tracee;
}

Tracee Tracee::in_call(pid_t pid, long number) {
  Tracee tracee{pid};
  check(ptrace(PTRACE_SEIZE, pid, nullptr, as_pointer(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)),
        "ptrace PTRACE_SEIZE");
  check(ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr), "ptrace PTRACE_INTERRUPT");
  tracee.finish_step();
  tracee.run_to_call(number);
  tracee.begin_step();
  if (!eventually([&] { return call_of(pid) == number; })) throw std::runtime_error{"it does not wait in the call"};
  return tracee;
}

void Tracee::run_to_call(long number) {
  for (;;) {
    resume_and_wait(PTRACE_SYSCALL);
    __ptrace_syscall_info info{};
    check(ptrace(PTRACE_GET_SYSCALL_INFO, pid_, as_pointer(sizeof info), &info), "ptrace PTRACE_GET_SYSCALL_INFO");
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY && static_cast<long>(info.entry.nr) == number) return;
  }
}

void Tracee::deliver(int signal) {
  delivered_ = signal;
  check(kill(pid_, signal), "kill");
}

bool Tracee::step() {
  begin_step();
  return finish_step();
}

bool Tracee::run_to(Address address, int passes, Address end, long last_call) {
  for (;; step()) {
    if (registers_.rip != address) {
      break_at(address, end);
      resume_and_wait(PTRACE_CONT);
      break_at(0, 0);
    }
    if (registers_.rip == address && --passes == 0) return true;
    if (registers_.rip == end && next_call().value().number == last_call) return false;
  }
}

// The signal waits for it to run, and comes before its next instruction.
void Tracee::leave_stopped() {
  check(kill(pid_, SIGSTOP), "kill");
  check(ptrace(PTRACE_DETACH, pid_, nullptr, nullptr), "ptrace PTRACE_DETACH");
}

std::uint64_t Tracee::next_bytes() const {
  errno = 0;
  const long bytes = ptrace(PTRACE_PEEKTEXT, pid_, as_pointer(registers_.rip), nullptr);
  if (errno != 0) throw std::system_error(errno, std::system_category(), "ptrace PTRACE_PEEKTEXT");
  return static_cast<std::uint64_t>(bytes);
}

std::optional<Call> Tracee::next_call() const {
  constexpr std::uint64_t syscall_instruction = 0x050f;
  if ((next_bytes() & 0xffff) != syscall_instruction) return std::nullopt;
  return Call{static_cast<long>(registers_.rax), registers_.rsi};
}

void Tracee::resume(int request, int signal) {
  last_request_ = request;
  check(ptrace(static_cast<__ptrace_request>(request), pid_, nullptr, as_pointer(static_cast<std::uint64_t>(signal))),
        "ptrace");
}

void Tracee::resume_and_wait(int request) {
  resume(request);
  if (!finish_step()) throw std::system_error(ESRCH, std::system_category(), "the process ended while it ran");
}

bool Tracee::finish_step() {
  for (;;) {
    int status = 0;
    check(waitpid(pid_, &status, __WALL), "waitpid");
    if (!WIFSTOPPED(status)) return false;
    const int signal = WSTOPSIG(status);
    if (signal == SIGTRAP || signal == stopped_in_call) break;
    resume(last_request_, signal == delivered_ ? std::exchange(delivered_, 0) : 0);
  }
  check(ptrace(PTRACE_GETREGS, pid_, nullptr, &registers_), "ptrace PTRACE_GETREGS");
  return true;
}

// The processor's own breakpoints leave the code as it is. Register 7 has two bits for each of the first four, the
// lower one of which turns it on; all other bits 0 means: when an instruction is about to be run.
void Tracee::break_at(Address first, Address second) {
  set_debug_register(7, 0);
  if (first == 0) return;
  set_debug_register(0, first);
  set_debug_register(1, second);
  set_debug_register(7, 0b0101);
}

void Tracee::set_debug_register(unsigned number, std::uint64_t value) {
  if (std::exchange(debug_registers_[number], value) == value) return;
  const std::size_t offset = offsetof(user, u_debugreg) + sizeof(std::uint64_t) * number;
  check(ptrace(PTRACE_POKEUSER, pid_, as_pointer(offset), as_pointer(value)), "ptrace PTRACE_POKEUSER");
}

}  // namespace share_data::test
