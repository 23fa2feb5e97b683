#include "child.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <system_error>
#include <utility>

namespace share_data::test {
namespace {

/// An exception must not get into the test's own code, which goes on in the parent.
[[noreturn]] void live(const std::function<void()>& life) noexcept {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  life();
  std::fflush(nullptr);
  _exit(testing::Test::HasFailure() ? 1 : 0);
}

}  // namespace

Child::Child(const std::function<void()>& life) {
  std::fflush(nullptr);  // or the child would write it once more
  pid_ = fork();
  if (pid_ < 0) throw std::system_error(errno, std::system_category(), "fork");
  if (pid_ == 0) live(life);
}

int Child::wait() {
  int status = 0;
  waitpid(std::exchange(pid_, -1), &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void Child::end() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  wait();
}

}  // namespace share_data::test
