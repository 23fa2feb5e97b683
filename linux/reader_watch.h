// How a copy that sleeps learns that nobody reads its lines any more, as after `share_data | head -1` or when ssh was
// cut off. Else it would find out at its next line, and count until then. fcntl(2): F_SETOWN, O_ASYNC.
#pragma once

#include <sys/types.h>

namespace share_data {

/// Between start() and stop(), the kernel sends us SIGIO when the last reader closes the pipe that is standard output,
/// or the peer the socket. Then the copy leaves, as after SIGTERM. A terminal that is closed sends SIGHUP itself. The
/// signal comes after each read, too, so it is asked for only while the copy sleeps.
///
/// All who have inherited the same pipe share these settings, and one process gets the signal. So if another one gets
/// it, its settings stay as they are, and at the end ours are taken back.
class ReaderWatch {
 public:
  explicit ReaderWatch(pid_t pid);
  ~ReaderWatch();
  ReaderWatch(const ReaderWatch&) = delete;
  ReaderWatch& operator=(const ReaderWatch&) = delete;

  /// Asks for the signal, unless another copy gets it, which may have left or been killed by now.
  void start();
  void stop() const;

 private:
  pid_t pid_;
  bool can_signal_ = false;
  bool is_ours_ = false;
};

}  // namespace share_data
