// What anybody who may write to the segment can write into it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <random>
#include <span>

#include "table.h"

namespace share_data::test {

/// What garbage is made of.
struct Words {
  std::mt19937 random;
  Word copy;       ///< the TID of a running copy
  Word bystander;  ///< the TID of some other process
};

struct GarbageKind {
  const char* what;
  void (*write)(Table& table, Words& words);
  bool hides = false;  ///< the segment no longer looks like ours: newcomers refuse it, and copies do not gather there
};

template <typename Object>
std::span<std::uint8_t> bytes_of(Object& object) {
  return {reinterpret_cast<std::uint8_t*>(&object), sizeof object};
}

/// The slot of the copy, or any slot if it has none.
inline Slot& own_slot(Table& table, Word copy) {
  const auto own = std::ranges::find(table.slots, copy, [](const Slot& slot) { return tid_of(slot.owner); });
  return own == table.slots.end() ? table.slots[0] : *own;
}

inline Slot& any_slot(Table& table, Words& words) { return table.slots[words.random() % 64]; }

inline constexpr auto garbage_kinds = std::to_array<GarbageKind>(
    {{"random bytes all over",
      [](Table& table, Words& words) { std::ranges::generate(bytes_of(table), std::ref(words.random)); }, true},
     {"zeros all over", [](Table& table, Words&) { std::ranges::fill(bytes_of(table), 0); }, true},
     {"ones all over", [](Table& table, Words&) { std::ranges::fill(bytes_of(table), 0xff); }, true},
     {"another magic and key",
      [](Table& table, Words& words) {
        table.magic = words.random();
        table.key = static_cast<std::uint32_t>(words.random());
      },
      true},
     {"random bytes in all slots",
      [](Table& table, Words& words) {
        std::ranges::generate(bytes_of(table.slots), std::ref(words.random));
        table.used = slot_count;
      }},
     {"all slots free",
      [](Table& table, Words&) {
        for (Slot& slot : table.slots) slot.owner = 0;
      }},
     {"all seem to leave",
      [](Table& table, Words&) {
        for (Slot& slot : table.slots) slot.leaver = tid_of(slot.owner);
      }},
     {"random alarms",
      [](Table& table, Words& words) {
        for (Slot& slot : table.slots) std::ranges::generate(bytes_of(slot.alarms), std::ref(words.random));
      }},
     {"a copy in one more slot",
      [](Table& table, Words& words) { any_slot(table, words).owner = running_word(words.copy); }},
     {"a bystander in a slot",
      [](Table& table, Words& words) { any_slot(table, words).owner = running_word(words.bystander); }},
     {"a copy seems to leave", [](Table& table, Words& words) { own_slot(table, words.copy).leaver = words.copy; }},
     {"a copy seems to be gone", [](Table& table, Words& words) { own_slot(table, words.copy).owner = marked_word; }},
     {"a copy seems to have just joined",
      [](Table& table, Words& words) { own_slot(table, words.copy).owner = joined_word(words.copy); }},
     {"a copy seems to be joining",
      [](Table& table, Words& words) { own_slot(table, words.copy).owner = joining_word(words.copy); }},
     {"a bystander seems to be joining",
      [](Table& table, Words& words) { any_slot(table, words).owner = joining_word(words.bystander); }},
     {"random words in the head", [](Table& table, Words& words) {
        table.plain = static_cast<std::int32_t>(words.random());
        table.changes = static_cast<std::uint32_t>(words.random());
        table.gathered = words.random() % 2;
        table.used = words.random() % 16;
      }}});

}  // namespace share_data::test
