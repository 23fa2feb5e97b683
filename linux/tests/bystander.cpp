#include "bystander.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>

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

/// The next process gets the pid after this one, unless somebody else is faster (pid_namespaces(7)).
void set_last_pid(pid_t pid) { std::ofstream{"/proc/sys/kernel/ns_last_pid"} << pid; }

}  // namespace

Identity identity_of(pid_t pid) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/stat"};
  const std::string line{std::istreambuf_iterator<char>{file}, {}};
  std::istringstream fields{line.substr(line.rfind(')') + 1)};
  std::string field;
  for (int number = 3; number <= 22; ++number) fields >> field;
  return make_identity(static_cast<std::uint32_t>(pid), std::stoull(field));
}

Identity identity_of_the_dead() {
  Bystander bystander;
  bystander.bury();
  return bystander.identity();
}

Bystander::Bystander() : pid_(spawn()), identity_(identity_of(pid_)) {}

Bystander::Bystander(pid_t wanted) : pid_((set_last_pid(wanted - 1), spawn())), identity_(identity_of(pid_)) {}

Bystander::~Bystander() { bury(); }

bool Bystander::is_unharmed() const {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == 0;
}

void Bystander::destroy() const {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT);
}

void Bystander::bury() {
  destroy();
  if (pid_ >= 0) waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

}  // namespace share_data::test
