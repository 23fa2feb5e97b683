// One copy in the soak, and what may become of it.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "copy.h"

namespace share_data::test {

/// What the soak is after: something that must never be. Says what.
struct Wrong : std::runtime_error {
  using runtime_error::runtime_error;
};

struct Member {
  Copy copy;
  std::string name = {};       ///< for the history
  bool limited = false;        ///< started with --max: may be refused
  bool timed = false;          ///< started with --for: leaves by itself
  bool stopped = false;        ///< by SIGSTOP
  bool unheard = false;        ///< nobody reads its output any more: leaves with its next line
  bool damaged = false;        ///< lived while the segment did not look like ours: may be refused
  bool question = false;       ///< --status: answers and ends
  int told = 0;                ///< the signal that was to end it
  std::uint32_t segment = 0;   ///< how many removals ago it was seen in a segment, as the Crowd counts them
  bool sure = false;           ///< whether it is still in that one, should it be stopped
  std::size_t lines_told = 0;  ///< how many of its lines are in the history

  [[nodiscard]] bool joined() { return !copy.lines().empty(); }

  /// Whether a copy to which this has happened may end with this exit code (or minus signal).
  [[nodiscard]] bool may_end_with(int code);
};

/// The count on its last line, text or JSON.
[[nodiscard]] std::optional<int> shown_by(Copy& copy);

/// The ids of the segments that a process has attached, as the kernel tells it in /proc/PID/maps.
[[nodiscard]] std::vector<int> segments_attached_by(pid_t pid);

}  // namespace share_data::test
