// Waits for what is no change of the table: the death of another copy, and a request to stop.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <vector>

#include "file_descriptor.h"
#include "identity.h"
#include "table.h"

namespace share_data {

/// Watches over other copies. Nobody tells us when a process dies by SIGKILL, the process least of all; a
/// pidfd does (pidfd_open(2)).
///
/// To watch all would take N² descriptors. So each copy watches its nearest predecessors in the ring of
/// slots, and whoever sees a death tells everybody. One would do if all of them ran; there are as many as
/// this so that copies stopped with Ctrl+Z do not hide a death from the rest: up to this many copies, each
/// watches all others.
///
/// follow() belongs to one thread, wait() to another.
class Watch {
 public:
  static constexpr std::size_t reach = 64;

  /// So many are enough while changes keep coming.
  static constexpr std::size_t reach_in_a_hurry = 8;

  /// Where the system does not let us watch, the table is searched for the dead this often.
  static constexpr std::chrono::milliseconds sweep_interval{500};

  /// What ended a wait().
  struct Outcome {
    bool stop = false;      ///< a request to stop has come
    bool deadline = false;  ///< the deadline has passed
    bool nudged = false;    ///< the other thread called nudge()
    bool sweep = false;     ///< it is time to search the table for the dead
    std::vector<Identity> dead = {};
  };

  /// `stop` is a file descriptor that gets ready when a request to stop has come. Throws Failure.
  explicit Watch(int stop);

  /// Watches the nearest predecessors of `self` among `slots`, and nobody else any more. Of those not yet watched
  /// only the `nearest` ones: to take up 64 costs most of a millisecond, too much for a moment in which hundreds
  /// start. Those that are dead already are returned; the caller buries them.
  std::vector<Identity> follow(const Slots& slots, Identity self, std::size_t nearest = reach);

  /// Waits until something happens.
  Outcome wait(std::optional<std::chrono::steady_clock::time_point> deadline);

  /// Ends a wait().
  void nudge() const;

  /// The errno for which the system does not let us watch; 0 as long as it does.
  [[nodiscard]] int sweep_reason() const { return sweep_reason_; }

 private:
  struct Watched {
    Identity identity;
    FileDescriptor pidfd;
  };

  bool add(Identity identity);
  [[nodiscard]] int timeout_ms(std::optional<std::chrono::steady_clock::time_point> deadline) const;

  FileDescriptor epoll_;
  FileDescriptor nudge_;
  std::vector<Watched> watched_;
  std::atomic<int> sweep_reason_{0};
};

}  // namespace share_data
