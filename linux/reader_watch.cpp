#include "reader_watch.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace share_data {
namespace {

void leave_if_nobody_reads(int /*signal*/) {
  const int error = errno;
  pollfd output{.fd = STDOUT_FILENO, .events = 0, .revents = 0};
  if (poll(&output, 1, 0) > 0) kill(getpid(), SIGTERM);  // POLLERR or POLLHUP
  errno = error;
}

}  // namespace

ReaderWatch::ReaderWatch(pid_t pid) : pid_(pid) {
  struct stat output {};
  struct sigaction action {};
  action.sa_handler = leave_if_nobody_reads;
  action.sa_flags = SA_RESTART;  // a read line interrupts nothing
  can_signal_ = fstat(STDOUT_FILENO, &output) == 0 && (S_ISFIFO(output.st_mode) || S_ISSOCK(output.st_mode)) &&
                sigaction(SIGIO, &action, nullptr) == 0;
}

// O_ASYNC without an owner is what a copy leaves behind that was killed.
void ReaderWatch::start() {
  if (can_signal_ && !is_ours_ && fcntl(STDOUT_FILENO, F_GETOWN) == 0) {
    is_ours_ = fcntl(STDOUT_FILENO, F_SETOWN, pid_) == 0;
  }
  if (!is_ours_) return;
  (void)fcntl(STDOUT_FILENO, F_SETFL, fcntl(STDOUT_FILENO, F_GETFL) | O_ASYNC);
  leave_if_nobody_reads(SIGIO);  // it may have happened already
}

void ReaderWatch::stop() const {
  if (is_ours_) (void)fcntl(STDOUT_FILENO, F_SETFL, fcntl(STDOUT_FILENO, F_GETFL) & ~O_ASYNC);
}

ReaderWatch::~ReaderWatch() {
  if (is_ours_ && fcntl(STDOUT_FILENO, F_GETOWN) == pid_) (void)fcntl(STDOUT_FILENO, F_SETOWN, 0);
}

}  // namespace share_data
