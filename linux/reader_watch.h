// How a copy that sleeps learns that nobody reads its lines any more, as after `share_data | head -1` or when ssh was
// cut off. Else it would find out at its next line, and count until then. fcntl(2): F_SETOWN, O_ASYNC.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace share_data {

/// Between start() and stop(), the kernel sends us SIGIO when the last reader closes the pipe that is standard output,
/// or the peer the socket. Then the copy leaves, as after SIGTERM. A terminal that is closed sends SIGHUP itself. The
/// signal comes after each read, too, so it is asked for only while the copy sleeps.
///
/// All who have inherited the same pipe share these settings, and one process gets the signal. So if another one gets
/// it, its settings stay as they are, and at the end ours are taken back.
class ReaderWatch {
 public:
  ReaderWatch() {
    struct stat output {};
    struct sigaction action {};
    action.sa_handler = leave_if_nobody_reads;
    action.sa_flags = SA_RESTART;  // a read line interrupts nothing
    can_signal_ = fstat(STDOUT_FILENO, &output) == 0 && (S_ISFIFO(output.st_mode) || S_ISSOCK(output.st_mode)) &&
                  sigaction(SIGIO, &action, nullptr) == 0;
  }
  ~ReaderWatch() {
    if (is_ours_ && fcntl(STDOUT_FILENO, F_GETOWN) == getpid()) (void)fcntl(STDOUT_FILENO, F_SETOWN, 0);
  }
  ReaderWatch(const ReaderWatch&) = delete;
  ReaderWatch& operator=(const ReaderWatch&) = delete;

  /// Asks for the signal, unless another copy gets it, which may have left or been killed by now. (O_ASYNC without an
  /// owner is what a copy leaves behind that was killed.)
  void start() {
    if (can_signal_ && !is_ours_ && fcntl(STDOUT_FILENO, F_GETOWN) == 0) {
      is_ours_ = fcntl(STDOUT_FILENO, F_SETOWN, getpid()) == 0;
    }
    if (!is_ours_) return;
    (void)fcntl(STDOUT_FILENO, F_SETFL, fcntl(STDOUT_FILENO, F_GETFL) | O_ASYNC);
    leave_if_nobody_reads(SIGIO);  // it may have happened already
  }

  void stop() const {
    if (is_ours_) (void)fcntl(STDOUT_FILENO, F_SETFL, fcntl(STDOUT_FILENO, F_GETFL) & ~O_ASYNC);
  }

 private:
  static void leave_if_nobody_reads(int /*signal*/) {
    const int error = errno;
    pollfd output{.fd = STDOUT_FILENO, .events = 0, .revents = 0};
    if (poll(&output, 1, 0) > 0) kill(getpid(), SIGTERM);  // POLLERR or POLLHUP
    errno = error;
  }

  bool can_signal_ = false;
  bool is_ours_ = false;
};

}  // namespace share_data
