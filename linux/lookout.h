// Looks after the others while the main thread shows the count, and leaves when it is time.
#pragma once

#include <chrono>
#include <exception>
#include <optional>
#include <thread>

#include "display.h"
#include "log.h"
#include "membership.h"
#include "watch.h"

namespace share_data {

using Deadline = std::optional<std::chrono::steady_clock::time_point>;

/// A thread that waits for the deaths of other copies and for the reasons to leave: a request to stop, the
/// deadline. It leaves in the main thread's stead, which may be stuck in a line that nobody reads; then it ends the
/// process, too.
class Lookout {
 public:
  /// Starts the thread. Throws Failure. All that it is given must outlive it.
  Lookout(Membership& membership, Watch& watch, Display& display, const Deadline& deadline, const Log& log);
  /// Waits for the end of the thread. The display must have ended.
  ~Lookout();
  Lookout(const Lookout&) = delete;
  Lookout& operator=(const Lookout&) = delete;
  Lookout(Lookout&&) = delete;
  Lookout& operator=(Lookout&&) = delete;

  /// Waits for the end of the thread, and throws what went wrong there.
  void join();

 private:
  void run();
  void look_after_the_others();

  Membership& membership_;
  Watch& watch_;
  Display& display_;
  const Deadline& deadline_;
  const Log& log_;
  std::exception_ptr failure_;
  std::thread thread_;
};

}  // namespace share_data
