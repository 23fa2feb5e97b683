// How a change becomes a line, and what --status shows.
#pragma once

#include <optional>

#include "log.h"
#include "membership.h"
#include "shared_memory.h"
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
  /// moment. While the line before is still being written, nothing. Returns that line's thread, which is signalled as
  /// soon as the line is written; the caller then looks again. Null if no line is being written.
  [[nodiscard]] HANDLE show(const View& now);

  /// Prints the last line, after the one before. If nobody has taken them at stop_request::out_of_patience(), they are
  /// lost.
  void print_last(Event event);

 private:
  [[nodiscard]] Event difference(const View& now) const;
  void add_end(Event& event, Identity identity) const;
  [[nodiscard]] HANDLE line_in_writing();
  [[nodiscard]] bool is_written_in_time();
  void print(Event event);

  const Membership& membership_;
  const Log& log_;
  std::optional<View> shown_;  ///< the table at the line before
  Handle writing_;             ///< the thread that writes the line before
};

/// Prints the count and the live copies in `memory`; if it is empty, nobody is running. With --explain also the memory,
/// word by word. Throws std::system_error if standard output takes no more.
void print_status(const std::optional<SharedMemory>& memory, const Log& log);

}  // namespace share_data
