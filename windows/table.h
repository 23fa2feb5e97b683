// What lies in the shared memory, to the byte: who is running.
//
// Each copy has a slot, one word that says who it is (identity.h) and what it is doing:
//
//   word                   meaning                                            counted
//   0                      free                                               no
//   identity | joining     has claimed the slot under --max, counts the rest  no
//   identity | notifying   counts, and not all copies are notified of it yet  yes
//   identity               running                                            yes
//   identity | leaving     leaves normally                                    no
//
// The live count is not stored: it is the number of counted words. To join, to leave and to free the slot of a copy
// that has ended is one write to one word each. So no kill leaves half a change behind, and there is no lock that a
// killed or a stopped copy could hold.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "identity.h"

namespace share_data {

class Log;

using Word = std::uint64_t;

enum class Mark : std::uint64_t { running, joining, notifying, leaving };

[[nodiscard]] constexpr Word word_of(Identity identity, Mark mark = Mark::running) {
  return static_cast<Word>(identity) | static_cast<Word>(mark) << identity_bits;
}
[[nodiscard]] constexpr Mark mark_of(Word word) { return static_cast<Mark>(word >> identity_bits); }
[[nodiscard]] constexpr Identity identity_of(Word word) { return Identity{word & ((Word{1} << identity_bits) - 1)}; }
[[nodiscard]] constexpr bool is_counted(Word word) {
  return word != 0 && (mark_of(word) == Mark::running || mark_of(word) == Mark::notifying);
}

/// For people: `0`, `4242`, `4242|leaving`; and what that means.
[[nodiscard]] std::string to_text(Word word);
[[nodiscard]] std::string_view meaning_of(Word word);

/// The table at one look.
struct View {
  std::uint32_t live = 0;        ///< slots that are counted
  std::uint32_t left_count = 0;  ///< read before the slots
  std::vector<Word> slots;       ///< all of them
};

inline constexpr std::size_t slot_count = 1024;
inline constexpr std::size_t left_size = 1024;
inline constexpr std::uint64_t table_magic = 0x33'61'74'61'64'5f'68'53;  // "Sh_data3" in memory

/// Zero bytes, which is how the system hands out a new mapping, are an empty table.
struct Table {
  std::atomic<std::uint64_t> magic{0};       ///< what this memory is: layout and version
  std::atomic<std::uint64_t> id{0};          ///< a random number that the events of this table are named after
  std::atomic<std::uint32_t> changes{0};     ///< goes up with every change; each value has its event, see wait.h
  std::atomic<std::int32_t> plain{0};        ///< the article's counter
  std::atomic<std::uint32_t> left_count{0};  ///< how many have ever said that they leave

  /// Who has said so, the last 1024 of them. A copy that is not counted any more and not in here was killed. Its slot
  /// cannot tell: the next copy may have it already. (Aligned so that the table is a whole number of KiB.)
  alignas(1024) std::array<std::atomic<Word>, left_size> left{};

  std::array<std::atomic<Word>, slot_count> slots{};

  /// Reads the slots one after the other.
  [[nodiscard]] View look() const;

  /// Compare-and-swap of a word. False if it no longer was `from`.
  bool replace(std::uint32_t index, Word from, Word to, const Log& log);

  /// Writes `word` into a free slot and returns its index; empty if no slot is free.
  [[nodiscard]] std::optional<std::uint32_t> claim(Word word, const Log& log);

  /// Frees the slots of a process that has ended.
  void take_out(Identity ended, const Log& log);

  /// This copy, which is in this slot, leaves: writes it to `left`, and only then takes it out of the count.
  void leave(std::uint32_t index, Identity identity, const Log& log);

  /// Whether a copy that was counted at the look `before`, and is not any more, has left normally. Empty if so many
  /// have left since then that this cannot be known.
  [[nodiscard]] std::optional<bool> has_left(Identity identity, const View& before) const;
};
static_assert(sizeof(Table) == std::size_t{17} * 1024, "a new size is a new layout: change the magic too");
static_assert(std::atomic<Word>::is_always_lock_free, "a lock in an atomic would not work between processes");

}  // namespace share_data
