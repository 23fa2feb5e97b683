// How a change becomes a line.
#pragma once

#include "log.h"
#include "membership.h"
#include "table.h"
#include "win32.h"

namespace share_data {

/// Each line is written on a thread of its own. A reader who takes nothing, be it a full pipe or a window in which text
/// is being selected, holds up that thread and nothing else: the next line waits, and then says all that has happened.
/// All of it throws std::system_error if standard output takes no more.
class Display {
 public:
  Display(const Membership& membership, const Log& log) : membership_(membership), log_(log) {}

  /// Prints a line about what has changed since the last one, if anything has, and lets more changes add up for a
  /// moment. While the line before is still being written, nothing.
  void show(const View& now);

  /// What the next line waits for: signalled as soon as the line before is written. Null if it is.
  [[nodiscard]] HANDLE line_in_writing();

  /// Prints the last line, after the one before. If nobody has taken them at StopRequest::out_of_patience(), they are
  /// lost.
  void show_last(const Remains& remains);

 private:
  [[nodiscard]] Event difference(const View& now) const;
  [[nodiscard]] bool is_written_in_time();
  void print(Event event);

  const Membership& membership_;
  const Log& log_;
  View shown_;
  Handle writing_;  ///< the thread that writes the line before
};

}  // namespace share_data
