// How a copy learns that the table has changed: others ring its bell.
#pragma once

#include <string>

#include "handle.h"
#include "identity.h"
#include "table.h"

namespace share_data {

/// The bell of one copy: an auto-reset event whose name says whose it is. One that is rung while nobody waits
/// for it stays rung until somebody does, so no news is lost, and however often it is rung meanwhile, the
/// copy wakes once.
///
/// Why not one event for all: an auto-reset one wakes one copy, a manual-reset one has to be reset by
/// somebody, and those who have not woken by then sleep on; PulseEvent is documented to be unreliable.
class Bell {
 public:
  explicit Bell(Identity owner);

  /// Set by whoever rings; for wait functions.
  [[nodiscard]] HANDLE handle() const { return event_.get(); }

  /// Why nobody can ring this bell; ERROR_SUCCESS if all is well. Somebody else has taken the name then.
  [[nodiscard]] DWORD error() const { return error_; }

 private:
  Handle event_;
  DWORD error_ = ERROR_SUCCESS;
};

/// `Global\share_data-bell-…`. The identity is in it, not only the pid: whoever gets the pid next has another
/// bell. It does not depend on where the table lies, since a process has one bell for whatever table it is
/// in.
[[nodiscard]] std::wstring bell_name(Identity owner);

/// Rings one bell. Where there is none, its owner is dead or about to be, and nothing happens.
void ring(Identity owner);

/// Rings the bells of all live copies but `self`, its successors in the ring of slots first: those are the
/// ones that watch over it.
void ring_all(const Table& table, Identity self);

/// Rings the bells of all processes that have one, whether or not they are in a table.
void ring_strays();

}  // namespace share_data
