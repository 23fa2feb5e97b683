// What lies in the shared memory, to the byte: who is running.
//
// Each copy has a slot. The owner word of a slot follows the kernel's protocol for robust futexes
// (set_robust_list(2), https://docs.kernel.org/locking/robust-futex-ABI.html), so that the kernel itself takes a
// copy out when it dies:
//
//   owner word                      meaning                                              counted
//   0                               free                                                 no
//   TID |           OWNER_DIED      is joining, and writes the other words of the slot   no
//   TID | WAITERS | OWNER_DIED      has just joined, and not everybody has been told     yes
//   TID | WAITERS                   running                                              yes, unless it is leaving
//         WAITERS | OWNER_DIED      written by the kernel: gone, not everybody told      no
//
// So OWNER_DIED means "not everybody has been told". The live count is not stored: it is the number of counted
// words. Joining, leaving and dying change it with one write to one word each. So no kill leaves half a change
// behind, and there is no lock that a dead or a stopped copy could hold.
#pragma once

#include <linux/futex.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "log.h"

namespace share_data {

using Word = std::uint32_t;

[[nodiscard]] constexpr Word joining_word(Word tid) { return tid | FUTEX_OWNER_DIED; }
[[nodiscard]] constexpr Word joined_word(Word tid) { return tid | FUTEX_WAITERS | FUTEX_OWNER_DIED; }
[[nodiscard]] constexpr Word running_word(Word tid) { return tid | FUTEX_WAITERS; }
inline constexpr Word gone_word = FUTEX_WAITERS | FUTEX_OWNER_DIED;

[[nodiscard]] constexpr Word tid_of(Word owner) { return owner & FUTEX_TID_MASK; }
[[nodiscard]] constexpr bool is_gone(Word owner) { return owner != 0 && tid_of(owner) == 0; }
[[nodiscard]] constexpr bool is_joining(Word owner) { return tid_of(owner) != 0 && (owner & FUTEX_WAITERS) == 0; }
[[nodiscard]] constexpr bool has_joined(Word owner) { return tid_of(owner) != 0 && (owner & FUTEX_WAITERS) != 0; }
[[nodiscard]] constexpr bool is_untold(Word owner) { return (owner & FUTEX_OWNER_DIED) != 0; }

/// For people: `0`, `4242|WAITERS`, `WAITERS|OWNER_DIED`.
[[nodiscard]] std::string to_text(Word owner);

/// One copy. When it dies, the kernel marks all four words that say who owns the slot, and wakes one waiter of
/// each. One word would not do: the only one woken could be stopped before it tells the others.
struct Slot {
  std::atomic<Word> owner;    ///< the word of the protocol, which the kernel clears
  std::atomic<Word> leaving;  ///< the TID of a copy that leaves on its own: "I was not killed"
  struct alignas(8) Alarm {
    std::atomic<Word> owner;
  };
  std::array<Alarm, 3> alarms;       ///< TID | WAITERS, for waiters only
  std::atomic<std::int64_t> joined;  ///< nanoseconds since 1970
};
static_assert(offsetof(Slot, alarms) == 8, "one futex_offset serves all four words: they are 8 bytes apart");

/// A slot as one look saw it.
struct SeenSlot {
  Word owner = 0;
  Word leaving = 0;

  bool operator==(const SeenSlot&) const = default;
};

[[nodiscard]] constexpr bool is_counted(const SeenSlot& slot) {
  return has_joined(slot.owner) && tid_of(slot.owner) != slot.leaving;
}

/// The table at one look.
struct View {
  int segment = -1;                    ///< the id of where the table lies
  std::uint32_t changes = 0;           ///< read before the slots: what changes later ends a wait at once
  std::uint32_t live = 0;              ///< slots that are counted
  std::uint32_t joining = 0;           ///< slots of copies that are joining
  std::uint32_t gone = 0;              ///< slots of copies that are gone, while not everybody has been told
  std::uint32_t claimed = 0;           ///< slots that are not free
  std::vector<SeenSlot> slots;         ///< as many as have ever been claimed
  std::vector<std::uint32_t> changed;  ///< those that have changed since the look before
};

inline constexpr std::size_t slot_count = 4096;

/// Zero bytes, which is how the kernel hands out a new segment, are an empty table.
struct Table {
  std::atomic<std::uint64_t> magic;     ///< what this memory is: layout and version
  std::atomic<std::uint32_t> key;       ///< the segment's key, which the kernel forgets on IPC_RMID
  std::atomic<std::uint32_t> gathered;  ///< 1: the copies in removed segments of this key have been told
  std::atomic<std::uint32_t> used;      ///< no slot from this one on has ever been claimed

  alignas(64) std::atomic<std::uint32_t> changes;  ///< the futex that everybody waits on; goes up with every change
  alignas(64) std::atomic<std::int32_t> plain;     ///< the article's counter
  alignas(4096) std::array<Slot, slot_count> slots;

  /// Reads the slots one after the other. `before` is an earlier look: with a thousand slots, it takes less time to
  /// find what has changed than to write all of them again.
  [[nodiscard]] View look(View before = {}) const;

  /// Compare-and-swap of an owner word. False if it no longer was `from`.
  bool replace(std::uint32_t index, Word from, Word to, const Log& log);

  /// Makes sure that look() reads the slot.
  void cover(std::uint32_t index);

  /// Tells everybody that something has changed.
  void tell(const Log& log);

  /// Tells everybody of those who are gone, if there are any, and frees their slots.
  void free_the_gone(const View& view, const Log& log);
};
static_assert(sizeof(Table) == std::size_t{164} * 1024, "a new size is a new layout: change the magic too");
static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "a lock in an atomic would not work between processes");

}  // namespace share_data
