#include "bystander.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <system_error>
#include <utility>

namespace share_data::test {
namespace {

/// The child: waits for a signal, any signal, and ends when one comes.
[[noreturn]] void sleep_on() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t all{};
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, nullptr);
  int received = 0;
  sigwait(&all, &received);
  _exit(received);
}

pid_t spawn() {
  const pid_t pid = fork();
  if (pid < 0) throw std::system_error(errno, std::system_category(), "fork");
  if (pid == 0) sleep_on();
  return pid;
}

}  // namespace

Word tid_of_the_dead() { return Bystander{}.tid(); }

void set_last_pid(pid_t pid) { std::ofstream{"/proc/sys/kernel/ns_last_pid"} << pid; }

Bystander::Bystander() : pid_(spawn()) {}

Bystander::Bystander(pid_t wanted) : pid_((set_last_pid(wanted - 1), spawn())) {}

Bystander::~Bystander() { end(); }

bool Bystander::is_unharmed() const {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
}

void Bystander::end() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(std::exchange(pid_, -1), nullptr, 0);
}

}  // namespace share_data::test
