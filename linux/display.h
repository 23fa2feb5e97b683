// Shows the count: sleeps until the table changes, and prints a line when it has.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <system_error>
#include <thread>

#include "log.h"
#include "membership.h"
#include "watch.h"

namespace share_data {

/// A thread of its own, because nothing can wait for a futex and for file descriptors at once: here the one,
/// so that a change goes straight from the kernel to the line; in Watch the other.
///
/// It is the only one that writes to standard output, so a reader who takes nothing can hold up nobody else.
class Display {
 public:
  enum class End {
    told_to,          ///< by finish()
    segment_removed,  ///< somebody removed the segment under us
    output_failed,    ///< see output_error()
    failed,           ///< see failure()
  };

  /// Starts the thread. `shown` is what the lines before have told people, and is kept up to date; empty if
  /// there have been none. Nudges `watch` when it ends by itself.
  Display(Membership& membership, Watch& watch, const Log& log, Slots& shown);
  ~Display();
  Display(const Display&) = delete;
  Display& operator=(const Display&) = delete;
  Display(Display&&) = delete;
  Display& operator=(Display&&) = delete;

  /// Has it print the last line, where there are remains, and end. Call it after Membership::leave(), which
  /// wakes the thread. False if it did not end within `patience`, because nobody reads what it writes.
  bool finish(const std::optional<Remains>& remains, std::chrono::milliseconds patience);

  /// Why the thread ended, if it has.
  [[nodiscard]] std::optional<End> ended() const;
  [[nodiscard]] std::error_code output_error() const { return output_error_; }
  [[nodiscard]] const std::exception_ptr& failure() const { return failure_; }

 private:
  void run();
  End show_changes();
  [[nodiscard]] bool bury_impostors(const Slots& now, const SegmentState& state);
  [[nodiscard]] bool report(const Slots& now);
  void follow(const Slots& now);
  void cool_down(std::uint32_t live) const;
  void print(const Event& event);
  void print_last();

  Membership& membership_;
  Watch& watch_;
  const Log& log_;
  Slots& shown_;
  std::chrono::steady_clock::time_point followed_at_;
  std::error_code output_error_;
  std::exception_ptr failure_;
  std::optional<Remains> remains_;
  std::atomic<std::uint32_t> finishing_{0};  ///< futex: 1 once finish() has been called
  std::atomic<std::uint32_t> ended_{0};      ///< futex: 1 + End once the thread is through
  std::thread thread_;
};

}  // namespace share_data
