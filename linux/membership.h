// How a copy joins the others and leaves them, whatever the others do meanwhile, being killed included.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <exception>
#include <optional>

#include "identity.h"
#include "segment.h"
#include "stop_signals.h"

namespace share_data {

/// A copy that wants to join.
struct Applicant {
  Identity identity;
  key_t key;
  std::optional<std::uint32_t> max;  ///< join only if fewer than this many are live
};

/// Thrown where `max` copies are live already.
struct Refused : std::exception {
  explicit Refused(std::uint32_t count) : live(count) {}
  std::uint32_t live;
};

/// Thrown where a request to stop came before the copy had joined.
struct Interrupted : std::exception {};

/// What a copy leaves behind.
struct Remains {
  std::uint32_t live = 0;        ///< copies that go on
  std::int32_t plain = 0;        ///< the article's counter
  bool removed_segment = false;  ///< this was the last copy, and the segment is gone
};

/// A place among the running copies, from the constructor to leave() or the destructor.
///
/// To join:
///   1. attach to the segment, creating it where there is none
///   2. claim a slot: from here on the others see this copy
///   3. if the last copy to leave is just removing the segment, wait until it has, or has changed its mind
///   4. if the segment is removed, give the slot up and start over; else this copy is in
///   5. count up the article's counter and tell everybody
/// To leave:
///   1. count down the article's counter, free the slot, tell everybody
///   2. if nobody alive is left, say in `retiring` that we remove the segment, look again, and remove it
/// A joiner writes its slot and then reads `retiring`; a leaver writes `retiring` and then reads the slots.
/// All atomics are sequentially consistent, so at least one of the two sees the other.
class Membership {
 public:
  /// Joins. Throws Failure, Refused or Interrupted, with nothing left behind.
  Membership(const Applicant& applicant, const StopSignals& stop);
  ~Membership();
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;
  Membership(Membership&&) = delete;
  Membership& operator=(Membership&&) = delete;

  /// Leaves, once.
  Remains leave();

  /// Makes sure that we have one slot, whatever somebody has written into them. True if something had to be done.
  bool keep_place(const Slots& slots);

  /// True from the start of leave() on.
  [[nodiscard]] bool is_leaving() const { return leaving_; }

  [[nodiscard]] Identity identity() const { return applicant_.identity; }
  [[nodiscard]] const Segment& segment() const { return segment_; }
  [[nodiscard]] Table& table() const { return segment_.table(); }

 private:
  explicit Membership(const Applicant& applicant);

  bool enter(const StopSignals& stop);
  void claim_slot();
  void wait_for_remover(const StopSignals& stop);
  void gather_removed();
  void refuse_if_full() const;
  [[nodiscard]] std::uint32_t others_live() const;
  bool retire();

  Applicant applicant_;
  Segment segment_;
  bool counted_ = false;  ///< in the article's counter
  std::atomic<bool> leaving_{false};
};

}  // namespace share_data
