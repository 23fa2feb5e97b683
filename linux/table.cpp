#include "table.h"

#include <algorithm>

#include "futex.h"

namespace share_data {
namespace {

/// Replaces every `from` by `to`, each in one step.
bool replace_all(std::array<std::atomic<Slot>, slot_count>& slots, Slot from, Slot to) {
  bool replaced = false;
  for (auto& slot : slots) {
    Slot expected = from;
    if (slot.load() == from && slot.compare_exchange_strong(expected, to)) replaced = true;
  }
  return replaced;
}

/// Makes `word` at least `value`.
void raise(std::atomic<std::uint32_t>& word, std::uint32_t value) {
  std::uint32_t seen = word.load();
  while (seen < value && !word.compare_exchange_weak(seen, value)) {
  }
}

}  // namespace

bool Table::claim(Identity identity) {
  // Tombstones last: as long as one stands, everybody can read from it that the copy was killed.
  const auto claim_where = [&](auto is_free) {
    for (std::uint32_t i = 0; i < slot_count; ++i) {
      Slot seen = slots[i].load();
      if (!is_free(seen)) continue;
      raise(used, i + 1);  // before the claim: look() reads no further than `used`
      if (slots[i].compare_exchange_strong(seen, slot_of(identity))) return true;
    }
    return false;
  };
  return claim_where([](Slot slot) { return slot == free_slot; }) ||
         claim_where([](Slot slot) { return !is_occupied(slot); });
}

bool Table::release(Identity identity) { return replace_all(slots, slot_of(identity), free_slot); }

bool Table::bury(Identity identity) { return replace_all(slots, slot_of(identity), tombstone_of(identity)); }

void Table::drop_duplicates(Identity identity) {
  bool first = true;
  for (auto& slot : slots) {
    Slot expected = slot_of(identity);
    if (slot.load() != expected) continue;
    if (!first) slot.compare_exchange_strong(expected, free_slot);
    first = false;
  }
}

bool Table::bury_dead() {
  bool buried = false;
  for (auto& slot : slots) {
    Slot seen = slot.load();
    if (is_occupied(seen) && !is_alive(Identity{seen})) {
      buried |= slot.compare_exchange_strong(seen, tombstone_of(Identity{seen}));
    }
  }
  return buried;
}

void Table::announce() {
  ++changes;
  futex_wake_all(changes, FutexScope::system);
}

// Many see a death, and it is enough that one of them tells. But that one may have been stopped, or killed itself,
// halfway through; so each makes sure. Only who has told everybody writes it down here.
void Table::mourn(Identity identity) {
  const bool buried = bury(identity);  // whatever `mourned` says: anybody may have written it
  if (!buried && mourned == slot_of(identity)) return;
  announce();
  mourned = slot_of(identity);
}

void Table::wait_for_change(std::uint32_t seen) const { futex_wait(changes, seen, FutexScope::system); }

Slots Table::look() const {
  std::size_t count = std::min<std::size_t>(used, slots.size());
  while (count > 0 && slots[count - 1] == free_slot) --count;
  return {slots.begin(), slots.begin() + count};
}

std::uint32_t Table::occupied() const { return count_occupied(look()); }

bool Table::anybody_alive() const {
  return std::ranges::any_of(slots, [](const std::atomic<Slot>& slot) {
    const Slot seen = slot.load();
    return is_occupied(seen) && is_alive(Identity{seen});
  });
}

std::uint32_t count_occupied(const Slots& slots) {
  return static_cast<std::uint32_t>(std::ranges::count_if(slots, is_occupied));
}

}  // namespace share_data
