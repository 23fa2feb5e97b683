// How a copy joins the others and leaves them, even if others join, leave or are killed meanwhile.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <set>

#include "log.h"
#include "robust_list.h"
#include "segment.h"
#include "table.h"

namespace share_data {

/// True if no process here has this TID. A process in another PID namespace seems missing, too.
[[nodiscard]] bool is_missing(Word tid);

/// Nanoseconds of CLOCK_BOOTTIME: since the system started, and nobody can set it.
[[nodiscard]] std::int64_t nanoseconds_since_boot();

/// A place among the running copies, from join() to the end of the process. One object for each process.
///
/// To join:
///   1. attach to the segment of the key, or create it
///   2. notify the copies in removed segments of this key, so that they come here
///   3. point the robust list at a free slot and claim it: 0 -> TID|OWNER_DIED. From this instruction on the kernel
///      marks the slot when this copy ends. Under --max it now counts the others, and withdraws if there are too many
///   4. write the alarm words, and then: -> TID|WAITERS|OWNER_DIED. From this instruction on the copy is counted
///   5. notify all copies, and only then: -> TID|WAITERS
/// To leave:
///   1. write this slot to the list `left`: whoever misses this copy knows from there that nobody has killed it
///   2. write our TID to `leaver`: from this instruction on the copy is not counted
///   3. if nobody else is counted, remove the segment
///   4. notify all copies
///   5. print the last line, and end. The kernel marks our words and wakes those who wait for them, as after kill -9
class Membership {
 public:
  /// Attaches to the segment of `key`. Throws Failure.
  Membership(key_t key, const Log& log)
      : log_(log), key_(key), robust_list_(log), segment_(Segment::open_or_create(key, log)) {}
  ~Membership();
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;

  /// Joins, under --max only if fewer than `max` copies are live. False if it was asked to leave while it waited for
  /// others that are joining. Throws Failure.
  bool join(std::optional<std::uint32_t> max = std::nullopt);

  /// The table as it is now, after doing what every copy owes the others: it notifies all copies of those that have
  /// ended, and joins again if the segment was removed. Throws Failure.
  const View& look();

  /// Leaves, once, and returns what to say last. What is left to do is to end the process.
  Event leave();

  [[nodiscard]] Table& table() const { return segment_.table(); }
  [[nodiscard]] Word tid() const { return tid_; }
  [[nodiscard]] std::uint32_t slot() const { return slot_; }
  [[nodiscard]] int segment() const { return segment_.id(); }

 private:
  void claim();
  [[nodiscard]] bool claim_below(std::uint32_t max);
  void get_ready();
  [[nodiscard]] bool move();
  [[nodiscard]] bool take_out_missing(View& view, std::uint64_t attached);

  [[nodiscard]] Slot& own() const { return table().slots[slot_]; }

  const Log& log_;
  key_t key_;
  Word tid_ = static_cast<Word>(getpid());
  std::int64_t start_ = nanoseconds_since_boot();
  RobustList robust_list_;
  Segment segment_;
  std::uint32_t slot_ = slot_count;  ///< none yet
  bool has_joined_ = false;          ///< `slot_` is ours, and counted in `plain`
  bool has_left_ = false;
  bool must_stay_ = false;                                  ///< in a removed segment, because no new one can be had
  std::set<std::pair<std::uint32_t, SeenSlot>> taken_out_;  ///< once each: copies in other PID namespaces seem missing
  View view_;                                               ///< the table at the last look
};

}  // namespace share_data
