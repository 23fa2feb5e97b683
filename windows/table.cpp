#include "table.h"

#include <algorithm>

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

}  // namespace

bool Table::claim(Identity identity) {
  // Tombstones last: as long as one stands, everybody can read from it that the copy was killed.
  const auto claim_where = [&](auto may_take) {
    return std::ranges::any_of(slots, [&](std::atomic<Slot>& slot) {
      Slot seen = slot.load();
      return may_take(seen) && slot.compare_exchange_strong(seen, slot_of(identity));
    });
  };
  return claim_where([](Slot slot) { return slot == free_slot; }) || claim_where(is_available);
}

bool Table::release(Identity identity) {
  return replace_all(slots, slot_of(identity), slot_of(identity, Mark::leaving));
}

bool Table::bury(Identity identity) { return replace_all(slots, slot_of(identity), slot_of(identity, Mark::dying)); }

void Table::settle(Identity identity) {
  replace_all(slots, slot_of(identity, Mark::leaving), free_slot);
  replace_all(slots, slot_of(identity, Mark::dying), slot_of(identity, Mark::tombstone));
}

void Table::drop_duplicates(Identity identity) {
  bool first = true;
  for (auto& slot : slots) {
    Slot expected = slot_of(identity);
    if (slot.load() != expected) continue;
    if (!first) slot.compare_exchange_strong(expected, free_slot);
    first = false;
  }
}

Slots Table::look() const { return {slots.begin(), slots.end()}; }

std::uint32_t count_live(const Slots& slots) {
  return static_cast<std::uint32_t>(std::ranges::count_if(slots, is_live));
}

}  // namespace share_data
