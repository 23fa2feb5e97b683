// What lies in the shared memory, to the byte: who is running.
//
// Each copy has a slot, one word that says who it is (identity.h) and what it is doing:
//
//   word                    meaning                                              counted
//   0                       free                                                 no
//   identity                running                                              yes
//   identity | joining      has just joined, and not everybody has been told     yes
//   identity | candidate    has claimed a slot under --max, and counts the rest  no
//   identity | leaving      leaves on its own                                    no
//   identity | killed       was found dead; free for the next copy               no
//
// The live count is not stored: it is the number of counted words. Joining, leaving and dying change it with one write
// to one word each. So no kill leaves half a change behind, and there is no lock that a dead or a stopped copy could
// hold.
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
#include "log.h"

namespace share_data {

using Word = std::uint64_t;

enum class Mark : std::uint64_t { running = 0, joining = 1, candidate = 2, leaving = 3, killed = 4 };

inline constexpr unsigned mark_shift = identity_bits;

[[nodiscard]] constexpr Word word_of(Identity identity, Mark mark = Mark::running) {
  return static_cast<Word>(identity) | static_cast<Word>(mark) << mark_shift;
}
[[nodiscard]] constexpr Mark mark_of(Word word) { return static_cast<Mark>(word >> mark_shift); }
[[nodiscard]] constexpr Identity identity_of(Word word) { return Identity{word & ((Word{1} << mark_shift) - 1)}; }
[[nodiscard]] constexpr bool is_counted(Word word) {
  return word != 0 && (mark_of(word) == Mark::running || mark_of(word) == Mark::joining);
}

/// For people: `0`, `4242`, `4242|joining`; and what that means.
[[nodiscard]] std::string to_text(Word word);
[[nodiscard]] std::string_view meaning_of(Word word);

/// The table at one look.
struct View {
  std::uint32_t live = 0;   ///< slots that are counted
  std::vector<Word> slots;  ///< all of them
};

inline constexpr std::size_t slot_count = 4096;
inline constexpr std::uint64_t table_magic = 0x32'61'74'61'64'5f'68'53;  // "Sh_data2" in memory

/// Zero bytes, which is how the system hands out a new mapping, are an empty table.
struct Table {
  std::atomic<std::uint64_t> magic{0};    ///< what this memory is: layout and version
  std::atomic<std::uint64_t> id{0};       ///< a random number that the events of this table are named after
  std::atomic<std::uint32_t> changes{0};  ///< goes up with every change; each value has its event, see wait.h
  std::atomic<std::int32_t> plain{0};     ///< the article's counter
  alignas(1024) std::array<std::atomic<Word>, slot_count> slots{};

  /// Reads the slots one after the other.
  [[nodiscard]] View look() const;

  /// Compare-and-swap of a word. False if it no longer was `from`.
  bool replace(std::uint32_t index, Word from, Word to, const Log& log);

  /// Writes `word` into a free slot and returns its index; empty if no slot is free.
  [[nodiscard]] std::optional<std::uint32_t> claim(Word word, const Log& log);

  /// Marks the words of a dead process: if it was counted, it was killed.
  void take_out(Identity dead, const Log& log);
};
static_assert(sizeof(Table) == std::size_t{33} * 1024, "a new size is a new layout: change the magic too");
static_assert(std::atomic<Word>::is_always_lock_free, "a lock in an atomic would not work between processes");

}  // namespace share_data
