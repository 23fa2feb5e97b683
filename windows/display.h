// Shows the count: a line for every change.
#pragma once

#include <windows.h>

#include <chrono>
#include <cstdint>

#include "handle.h"
#include "log.h"
#include "membership.h"
#include "table.h"
#include "watch.h"

namespace share_data {

/// Each line is written on a thread of its own. A reader who takes nothing, be it a full pipe or a window in
/// which text is being selected, holds up that thread; the copy itself can still be stopped.
class Display {
 public:
  /// `stop` is the handle of an event; once it is set or `deadline` has come, nothing waits for a line any
  /// more.
  Display(const Log& log, Identity self, HANDLE stop, const Deadline& deadline)
      : log_(log), self_(self), stop_(stop), deadline_(deadline) {}

  /// Prints a line about what has happened since the last one, if anything has, and cools down. Throws
  /// std::system_error where standard output does not take it.
  void show(const Slots& now, std::int32_t plain);

  /// Prints the last line, after the one before. Where nobody takes them within a second, they are lost. Throws
  /// like show().
  void show_last(const Remains& remains);

 private:
  [[nodiscard]] Handle start_writing(Event event) const;
  [[nodiscard]] bool is_written_by(std::chrono::steady_clock::time_point until) const;
  void cool_down(std::uint32_t live) const;

  const Log& log_;
  Identity self_;
  HANDLE stop_;
  Deadline deadline_;
  Slots shown_;
  Handle writing_;  ///< the thread that writes the line before, or has written it
};

}  // namespace share_data
