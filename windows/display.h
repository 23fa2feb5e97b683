// Shows the count: a line for every change.
#pragma once

#include <cstdint>

#include "handle.h"
#include "log.h"
#include "membership.h"
#include "table.h"

namespace share_data {

/// Each line is written on a thread of its own. A reader who takes nothing, be it a full pipe or a window in
/// which text is being selected, holds up that thread. Once there is a request to stop, nothing waits for it but
/// show_last().
class Display {
 public:
  Display(const Log& log, Identity self) : log_(log), self_(self) {}

  /// Prints a line about what has happened since the last one, if anything has, and cools down. Throws
  /// std::system_error where standard output does not take it.
  void show(const Slots& now, std::int32_t plain);

  /// Prints the last line, after the one before. If nobody has taken them at StopRequest::out_of_patience(), they
  /// are lost. Throws like show().
  void show_last(const Remains& remains);

 private:
  [[nodiscard]] Handle start_writing(Event event) const;
  [[nodiscard]] bool is_written_in_time() const;

  const Log& log_;
  Identity self_;
  Slots shown_;
  Handle writing_;  ///< the thread that writes the line before, or has written it
};

}  // namespace share_data
