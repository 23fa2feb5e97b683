// How a copy joins the others and leaves them, even if others join, leave or are killed meanwhile.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "log.h"
#include "robust_list.h"
#include "segment.h"
#include "table.h"

namespace share_data {

/// What a copy leaves behind.
struct Remains {
  std::uint32_t live = 0;        ///< copies that go on
  std::int32_t plain = 0;        ///< the article's counter
  bool removed_segment = false;  ///< this was the last copy, and the segment is removed
};

/// True if no process here has this TID. A process in another PID namespace seems missing, too.
[[nodiscard]] bool is_missing(Word tid);

/// Since 1970.
[[nodiscard]] std::int64_t milliseconds_now();

/// A place among the running copies, from join() to the end of the process. One object for each process.
///
/// To join:
///   1. attach to the segment of the key, or create it
///   2. if nobody has done so yet, tell the copies in removed segments of this key to come here
///   3. point the robust list at a free slot and claim it: 0 -> TID|OWNER_DIED. From this instruction on the kernel
///      answers for the copy. Under --max it now counts the others, and gives way if there are too many
///   4. write the alarm words, and then: -> TID|WAITERS|OWNER_DIED. From this instruction on the copy is counted
///   5. tell everybody, and only then say so: -> TID|WAITERS
/// To leave:
///   1. write our TID to `leaving`: from this instruction on the copy is not counted
///   2. if nobody else is counted, remove the segment
///   3. end. The kernel marks our words and wakes those who watch us, exactly as after kill -9
class Membership {
 public:
  /// Attaches to the segment of `key`. Throws Failure.
  Membership(key_t key, const Log& log);
  ~Membership();
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;
  Membership(Membership&&) = delete;
  Membership& operator=(Membership&&) = delete;

  /// Joins, under --max only if fewer than `max` copies are live. Throws Failure.
  void join(std::optional<std::uint32_t> max = std::nullopt);

  /// The table as it is now, after doing what every copy owes the others: it tells everybody of those who are gone,
  /// and joins again if the segment was removed. Throws Failure.
  const View& look();

  /// Leaves, once. What is left to do is to end the process.
  Remains leave();

  [[nodiscard]] const Table& table() const { return segment_.table(); }
  [[nodiscard]] Word tid() const { return tid_; }
  [[nodiscard]] std::uint32_t slot() const { return slot_.value_or(0); }

 private:
  bool enter(std::optional<std::uint32_t> max);
  void gather_removed();
  void claim();
  [[nodiscard]] bool try_to_claim();
  void get_ready();
  void withdraw();
  void join_again();
  [[nodiscard]] bool repair_own_slot();
  [[nodiscard]] bool is_implausible(const View& view, const SegmentState& state) const;
  [[nodiscard]] bool take_out_missing(const View& view);
  void take_turn();
  void give_turn_back();
  void refuse_if_full(std::uint32_t max) const;

  [[nodiscard]] Table& shared() const { return segment_.table(); }
  [[nodiscard]] Slot& own() const { return shared().slots[slot()]; }

  const Log& log_;
  key_t key_;
  Word tid_;
  RobustList robust_list_;
  Segment segment_;
  std::optional<std::uint32_t> slot_;
  View view_;              ///< the table at the last look
  bool in_plain_ = false;  ///< counted up in the article's counter
  bool left_ = false;
};

}  // namespace share_data
