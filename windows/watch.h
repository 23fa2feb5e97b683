// Waits for whatever may happen: the bell, the death of another copy, a request to stop.
#pragma once

#include <windows.h>

#include <chrono>
#include <vector>

#include "handle.h"
#include "identity.h"
#include "table.h"

namespace share_data {

/// Watches over other copies. Nobody tells us when a process is terminated, the process least of all; its
/// handle does.
///
/// One wait takes 64 handles at most. So each copy watches its nearest predecessors in the ring of slots, and
/// whoever sees a death tells everybody. One would do if all of them ran; there are as many as fit so that
/// copies that are stopped, as by text that is being selected in their window, do not hide a death from the
/// rest.
class Watch {
 public:
  static constexpr std::size_t reach = MAXIMUM_WAIT_OBJECTS - 2;  // the other two: the stop and the bell

  /// Where nobody can ring the bell, it is time for a look at the table this often.
  static constexpr std::chrono::milliseconds look_interval{500};

  /// `bell` is the handle of an event, which outlives this.
  Watch(HANDLE bell, bool bell_works) : bell_(bell), bell_works_(bell_works) {}

  /// What follow() has found out.
  struct Findings {
    std::vector<Identity> dead = {};   ///< dead, and perhaps not everybody knows
    std::vector<Identity> stray = {};  ///< alive and watched, but gone from the table: overwritten, or just leaving
  };

  /// Watches the nearest predecessors of `self` among `slots`, and nobody else any more.
  Findings follow(const Slots& slots, Identity self);

  /// Sleeps until something happens. False if it is a request to stop.
  [[nodiscard]] bool wait() const;

 private:
  struct Watched {
    Identity identity;
    Handle process;
  };

  HANDLE bell_;
  bool bell_works_;
  std::vector<Watched> watched_;
};

}  // namespace share_data
