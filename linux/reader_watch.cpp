#include "reader_watch.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace share_data {
namespace {

/// The signal comes each time that somebody reads, too.
void leave_if_nobody_reads(int /*signal*/) {
  const int error = errno;
  pollfd output{.fd = STDOUT_FILENO, .events = 0, .revents = 0};
  if (poll(&output, 1, 0) > 0) kill(getpid(), SIGTERM);  // POLLERR or POLLHUP
  errno = error;
}

}  // namespace

ReaderWatch::ReaderWatch() {
  struct stat output {};
  can_signal_ = fstat(STDOUT_FILENO, &output) == 0 && (S_ISFIFO(output.st_mode) || S_ISSOCK(output.st_mode));
  struct sigaction action {};
  action.sa_handler = leave_if_nobody_reads;
  action.sa_flags = SA_RESTART;  // a read line interrupts nothing
  if (can_signal_) sigaction(SIGIO, &action, nullptr);
  take_turn();
}

// O_ASYNC without an owner is what a copy leaves behind that was killed.
void ReaderWatch::take_turn() {
  if (!can_signal_ || is_ours_ || fcntl(STDOUT_FILENO, F_GETOWN) != 0) return;
  const int flags = fcntl(STDOUT_FILENO, F_GETFL);
  is_ours_ = flags >= 0 && fcntl(STDOUT_FILENO, F_SETOWN, getpid()) == 0 &&
             fcntl(STDOUT_FILENO, F_SETFL, flags | O_ASYNC) == 0;
  if (is_ours_) leave_if_nobody_reads(SIGIO);  // it may have happened already
}

ReaderWatch::~ReaderWatch() {
  if (!is_ours_ || fcntl(STDOUT_FILENO, F_GETOWN) != getpid()) return;
  fcntl(STDOUT_FILENO, F_SETFL, fcntl(STDOUT_FILENO, F_GETFL) & ~O_ASYNC);
  fcntl(STDOUT_FILENO, F_SETOWN, 0);
}

}  // namespace share_data
