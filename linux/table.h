// What lies in the shared memory, to the byte. lesson/exact.cpp has the same in miniature; here a slot has more words,
// so that stopped copies hide no death, and so that everybody knows who left and who was killed.
//
//   owner word                      meaning                                                        counted
//   0                               free                                                           no
//   TID |           OWNER_DIED      joining: the copy has claimed the slot and writes its words    no
//   TID | WAITERS | OWNER_DIED      new: the copy has joined; not all copies have been notified    yes
//   TID | WAITERS                   running                                                        yes, unless leaving
//       [ WAITERS |] OWNER_DIED     marked: the copy has ended; the kernel has written this        no
//
// The live count is not stored: it is the number of counted slots. A copy joins, leaves or ends with one write to one
// word. So no kill leaves half a change behind, and there is no lock that a killed or stopped copy could hold.
//
// The terms that the code and its comments use:
//   copy      a running process of this program
//   notify    add 1 to `changes`, and wake all copies that wait for it
//   ended     the process no longer exists: the copy has left or was killed
//   left      has ended normally, and has said so first: it is in the list `left`
//   killed    has ended without having said so
//   moved     of a copy: it has joined in a new segment, because the old one was removed
#pragma once

#include <linux/futex.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "log.h"

namespace share_data {

using Word = std::uint32_t;

// The kernel defines the two bits. Next to a TID, it reads only WAITERS: whether to wake somebody. OWNER_DIED is ours.
inline constexpr Word counted_bit = FUTEX_WAITERS;  ///< set when all other words of the slot are written
inline constexpr Word new_bit = FUTEX_OWNER_DIED;   ///< set until all copies have been notified of this one

[[nodiscard]] constexpr Word joining_word(Word tid) { return tid | new_bit; }
[[nodiscard]] constexpr Word joined_word(Word tid) { return tid | counted_bit | new_bit; }
[[nodiscard]] constexpr Word running_word(Word tid) { return tid | counted_bit; }
inline constexpr Word marked_word = FUTEX_WAITERS | FUTEX_OWNER_DIED;

[[nodiscard]] constexpr Word tid_of(Word owner) { return owner & FUTEX_TID_MASK; }
[[nodiscard]] constexpr bool is_marked(Word owner) { return owner != 0 && tid_of(owner) == 0; }
[[nodiscard]] constexpr bool is_joining(Word owner) { return tid_of(owner) != 0 && (owner & counted_bit) == 0; }
[[nodiscard]] constexpr bool has_joined(Word owner) { return tid_of(owner) != 0 && (owner & counted_bit) != 0; }
[[nodiscard]] constexpr bool is_new(Word owner) { return tid_of(owner) != 0 && (owner & new_bit) != 0; }

/// For people: `0`, `4242|WAITERS`, `WAITERS|OWNER_DIED`.
[[nodiscard]] std::string to_text(Word owner);

/// One copy. When it ends, the kernel marks four words, and wakes one waiter of each. One word would not do: the only
/// copy that it wakes could be stopped before it notifies the others. So the copies spread over the four words.
struct Slot {
  std::atomic<Word> owner;   ///< the word that says who is counted
  std::atomic<Word> leaver;  ///< the TID of a copy that is leaving this slot
  struct alignas(8) Alarm {
    std::atomic<Word> word;
  };
  std::array<Alarm, 3> alarms;       ///< TID | WAITERS, only to wait for
  std::atomic<std::int64_t> joined;  ///< when the copy started, in nanoseconds of CLOCK_BOOTTIME
};
static_assert(offsetof(Slot, alarms) == 8, "one futex_offset serves all four words: they are 8 bytes apart");

/// A slot as one look saw it. TID and start together say which copy it is: two copies can have the same TID, one
/// after the other, or at once in two PID namespaces.
struct SeenSlot {
  Word owner = 0;
  Word leaver = 0;
  std::int64_t joined = 0;

  auto operator<=>(const SeenSlot&) const = default;  // NOLINT(modernize-use-nullptr): a bug of clang-tidy 14
};

[[nodiscard]] constexpr bool is_counted(const SeenSlot& slot) {
  return has_joined(slot.owner) && tid_of(slot.owner) != slot.leaver;
}

inline constexpr std::size_t slot_count = 1024;

/// The table at one look.
struct View {
  std::uint32_t changes = 0;  ///< read before the slots: what changes later ends a wait at once
  std::uint32_t left = 0;     ///< how many copies have left, read before the slots
  std::uint32_t live = 0;     ///< slots that are counted
  std::uint32_t joining = 0;  ///< slots of copies that are joining
  std::uint32_t marked = 0;   ///< slots that the kernel has marked
  std::uint32_t claimed = 0;  ///< slots that are not free
  std::vector<SeenSlot> slots = std::vector<SeenSlot>(slot_count);
  std::vector<std::pair<std::uint32_t, SeenSlot>> earlier;  ///< what slots held before they changed, the oldest first
};

/// All zeros, as the kernel hands out a new segment, are an empty table.
struct Table {
  std::atomic<std::uint64_t> magic;  ///< what this memory is: layout and version
  std::atomic<std::uint32_t> key;    ///< the segment's key, which the kernel forgets on IPC_RMID

  alignas(64) std::atomic<std::uint32_t> changes;  ///< the futex that all copies wait for; goes up with every change
  alignas(64) std::atomic<std::int32_t> plain;     ///< the article's counter

  alignas(64) std::atomic<std::uint32_t> left_count;                ///< how many entries have been written to `left`
  alignas(4096) std::array<std::atomic<std::uint64_t>, 1024> left;  ///< the copies that left, a ring
  alignas(4096) std::array<Slot, slot_count> slots;

  /// Reads the slots one after the other. `before` is an earlier look, which becomes this one.
  [[nodiscard]] View look(View before = {}) const;

  /// Compare-and-swap of an owner word. False if it no longer was `from`.
  bool replace(std::uint32_t index, Word from, Word to, const Log& log);

  /// Adds 1 to `changes`, and wakes all copies.
  void notify(const Log& log);

  /// Notifies all copies of those that have ended, if there are any, and frees their slots.
  void free_marked(const View& view, const Log& log);

  /// The copy `tid`, which is in this slot, leaves: writes it to `left`, and only then takes it out of the count.
  void leave(std::uint32_t index, Word tid, const Log& log);

  /// Whether a copy that an earlier look saw in this slot has left; if not, it was killed. Empty if nobody can know: so
  /// many have left since that look, which saw `since` in `left_count`, that more than half of the list is new.
  [[nodiscard]] std::optional<bool> has_left(std::uint32_t index, const SeenSlot& seen, std::uint32_t since) const;
};
static_assert(sizeof(Table) == std::size_t{52} * 1024, "a new size is a new layout: change the magic too");
static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "a lock in an atomic would not work between processes");

/// Sleeps until somebody changes `changes`, a request to leave is made, or the kernel marks the words of a copy that
/// died; `own` is our own slot. It may return early. What has happened is for the next look to find out: a wake by one
/// word does not say what became of the others. Throws Failure.
void wait_for_change(const Table& table, const View& view, std::uint32_t own, const Log& log);

/// Lets changes add up for a moment before the next line, unless a request to leave comes. The cost of a line on every
/// screen grows with the number of screens; so does this pause, and N copies cost each other N lines, not N².
void cool_down(std::uint32_t live);

}  // namespace share_data
