// The table that the copies share: who is running. It is what lies in the shared memory, to the byte.
//
// There is no lock, and the count is not stored: it is the number of occupied slots. To join, to leave and to
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

/// What a slot holds: nobody, the Identity of a copy, or a tombstone: the identity of a copy that was found
/// dead, with the top bit set. A tombstone is free for the next one, and tells everybody else that this copy
/// did not leave by itself.
using Slot = std::uint64_t;
inline constexpr Slot free_slot = 0;
inline constexpr Slot tombstone_bit = Slot{1} << 63U;

[[nodiscard]] constexpr Slot slot_of(Identity identity) { return static_cast<Slot>(identity); }
[[nodiscard]] constexpr Slot tombstone_of(Identity identity) { return slot_of(identity) | tombstone_bit; }
[[nodiscard]] constexpr bool is_occupied(Slot slot) { return slot != free_slot && (slot & tombstone_bit) == 0; }

/// The slots as they were at one look. Those behind the last one that is not free are left out: with a
/// few copies, all there is to copy and compare fits a cache line or two, not 32 KiB.
using Slots = std::vector<Slot>;

/// Zero bytes, which is how the kernel hands out a new segment, are an empty table.
struct Table {
  // What this memory is. Written once, by a compare-and-swap from 0, by whoever comes first.
  std::atomic<std::uint64_t> magic;       ///< layout name and version
  std::atomic<std::uint64_t> namespaces;  ///< where the pids below mean something: own_namespaces()
  std::atomic<std::uint64_t> key;         ///< the segment's key, which the kernel forgets on IPC_RMID
  std::atomic<std::uint32_t> gathered;    ///< 1: those in removed segments of this key have been called here

  alignas(64) std::atomic<std::uint32_t> changes;  ///< counts changes; the futex everybody sleeps on
  std::atomic<std::uint32_t> used;              ///< look() reads no further: no slot behind has ever been claimed
  std::atomic<std::uint64_t> mourned;           ///< the last copy of whose death everybody has been told
  alignas(64) std::atomic<std::int32_t> plain;  ///< the article's counter
  alignas(64) std::atomic<std::uint64_t> retiring;   ///< the copy that is removing the segment, or nobody
  alignas(64) std::atomic<std::uint64_t> admitting;  ///< the copy that is being admitted under --max, or nobody
  alignas(1024) std::array<std::atomic<Slot>, slot_count> slots;

  /// Takes a slot. False where all of them are taken.
  bool claim(Identity identity);

  /// Frees every slot that the copy has. False where it had none.
  bool release(Identity identity);

  // Burying tells nobody, announcing buries nobody, and mourning does both, once.

  /// Turns the copy's slots into tombstones. False where it had none.
  bool bury(Identity identity);

  /// Frees all but the first of the copy's slots, where somebody's garbage gave it several.
  void drop_duplicates(Identity identity);

  /// Buries every copy that is dead. False where there was none.
  bool bury_dead();

  /// Tells everybody that something has changed.
  void announce();

  /// Buries a copy that is dead and tells everybody, unless somebody has done both.
  void mourn(Identity identity);

  /// Has look() read every slot again, where somebody may have overwritten `used`.
  void distrust_used() { used = slot_count; }

  /// Sleeps until `changes` is no longer `seen`.
  void wait_for_change(std::uint32_t seen) const;

  /// The slots, read one after the other, up to the last one that is not free.
  [[nodiscard]] Slots look() const;

  [[nodiscard]] std::uint32_t occupied() const;

  /// Whether anybody at all in the table is alive.
  [[nodiscard]] bool anybody_alive() const;
};

static_assert(sizeof(Table) == std::size_t{33} * 1024, "a new size is a new layout: change the magic too");
static_assert(std::atomic<std::uint64_t>::is_always_lock_free && std::atomic<std::uint32_t>::is_always_lock_free,
              "a lock that hides in an atomic would not work between processes");

/// One of them, also where it was left out.
[[nodiscard]] inline Slot slot_at(const Slots& slots, std::size_t index) {
  return index < slots.size() ? slots[index] : free_slot;
}

[[nodiscard]] std::uint32_t count_occupied(const Slots& slots);

}  // namespace share_data
