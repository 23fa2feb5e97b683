// Shows the count: sleeps until the table changes, and prints a line when it has.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <system_error>

#include "log.h"
#include "membership.h"
#include "watch.h"

namespace share_data {

/// Thrown where standard output takes no more.
struct OutputFailed : std::system_error {
  explicit OutputFailed(std::error_code error) : std::system_error(error, "standard output") {}
};

/// This is the main thread's work: a change goes straight from the kernel to the line. Nothing can wait for a futex
/// and for file descriptors at once, so another thread, the Lookout, waits for those.
///
/// Nobody else writes to standard output, so a reader who takes nothing holds up no more than this.
class Display {
 public:
  enum class End {
    told_to,          ///< by finish()
    segment_removed,  ///< somebody removed the segment under us
  };

  /// `shown` is what the lines before have told people, and is kept up to date; empty if there have been none.
  Display(Membership& membership, Watch& watch, const Log& log, Slots& shown)
      : membership_(membership), watch_(watch), log_(log), shown_(shown) {}
  ~Display() = default;
  Display(const Display&) = delete;
  Display& operator=(const Display&) = delete;
  Display(Display&&) = delete;
  Display& operator=(Display&&) = delete;

  /// Shows the count until there is a reason to end. Throws OutputFailed, and Failure. In any case it nudges the
  /// watch in the end.
  End run();

  /// For another thread: has run() print the last line, where there are remains, and end. Call it after
  /// Membership::leave(). False if it did not end within `patience`, because nobody reads what it writes.
  bool finish(const std::optional<Remains>& remains, std::chrono::milliseconds patience);

  /// True once run() is through.
  [[nodiscard]] bool ended() const { return ended_ != 0; }

 private:
  void say_that_it_has_ended();
  End show_changes();
  [[nodiscard]] bool bury_unattached(const Slots& now, const SegmentState& state);
  [[nodiscard]] bool report(const Slots& now);
  void follow(const Slots& now, std::size_t nearest);
  void cool_down(std::uint32_t live) const;
  void print(const Event& event);
  void print_last();

  Membership& membership_;
  Watch& watch_;
  const Log& log_;
  Slots& shown_;
  std::chrono::steady_clock::time_point followed_at_ = std::chrono::steady_clock::now();
  std::optional<Remains> remains_;
  std::atomic<std::uint32_t> finishing_{0};  ///< futex: 1 once finish() has been called
  std::atomic<std::uint32_t> ended_{0};      ///< futex: 1 once run() is through
};

}  // namespace share_data
