// The table that the copies share: who is running. It is what lies in the shared memory, to the byte.
//
// There is no lock, and the count is not stored: it is the number of live slots. To join, to leave and to
// bury a dead copy is one compare-and-swap on one word each, so no kill can leave half a change behind, and a
// copy that is stopped holds nobody up.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "identity.h"

namespace share_data {

inline constexpr std::size_t slot_count = 4096;

/// What a slot holds: nobody, or the Identity of a copy and, in the two topmost bits, what became of it.
///
///   free -> live -> leaving -> free        a copy that leaves by itself
///           live -> dying -> tombstone     a copy that was found dead
///
/// The count changes with the step out of `live`. The step after it says that everybody has been told:
/// whoever dies in between does not take the news along, for those who watch over it finish what it began. A
/// tombstone is free for the next copy, and tells everybody that this one did not leave by itself.
///
/// linux/table.h needs no such steps: there one futex wakes everybody at once. Here each copy has a bell of its
/// own, so telling takes many calls, and a slot remembers whether they have all been made.
using Slot = std::uint64_t;

enum class Mark : std::uint64_t { live = 0, leaving = 1, dying = 2, tombstone = 3 };

inline constexpr Slot free_slot = 0;
inline constexpr unsigned mark_shift = 62;

[[nodiscard]] constexpr Slot slot_of(Identity identity, Mark mark = Mark::live) {
  return static_cast<Slot>(identity) | static_cast<Slot>(mark) << mark_shift;
}
[[nodiscard]] constexpr Mark mark_of(Slot slot) { return static_cast<Mark>(slot >> mark_shift); }
[[nodiscard]] constexpr Identity identity_of(Slot slot) { return Identity{slot & ((Slot{1} << mark_shift) - 1)}; }
[[nodiscard]] constexpr bool is_live(Slot slot) { return slot != free_slot && mark_of(slot) == Mark::live; }
[[nodiscard]] constexpr bool is_available(Slot slot) { return slot == free_slot || mark_of(slot) == Mark::tombstone; }

/// All slots as they were at one look.
using Slots = std::vector<Slot>;

/// Zero bytes, which is how the system hands out a new mapping, are an empty table.
struct Table {
  std::atomic<std::uint64_t> magic{0};      ///< layout name and version
  std::atomic<std::uint64_t> admitting{0};  ///< the copy that is being admitted under --max, or nobody
  std::atomic<std::int32_t> plain{0};       ///< the article's counter
  alignas(1024) std::array<std::atomic<Slot>, slot_count> slots{};

  /// Takes a slot. False where all of them are taken.
  bool claim(Identity identity);

  /// The copy leaves: live -> leaving. False where it had no slot.
  bool release(Identity identity);

  /// The copy is dead: live -> dying. False where somebody was faster, or it had left.
  bool bury(Identity identity);

  /// Everybody has been told: leaving -> free, dying -> tombstone.
  void settle(Identity identity);

  /// Frees all but the first of the copy's slots, where somebody's garbage gave it several.
  void drop_duplicates(Identity identity);

  /// The slots, read one after the other.
  [[nodiscard]] Slots look() const;
};

inline constexpr std::uint64_t table_magic = 0x31'61'74'61'64'5f'68'73;  // "sh_data1" in memory

static_assert(sizeof(Table) == std::size_t{33} * 1024, "a new size is a new layout: change the magic too");
static_assert(std::atomic<Slot>::is_always_lock_free && std::atomic<std::int32_t>::is_always_lock_free,
              "a lock that hides in an atomic would not work between processes");

[[nodiscard]] std::uint32_t count_live(const Slots& slots);

}  // namespace share_data
