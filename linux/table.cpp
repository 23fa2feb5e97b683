#include "table.h"

#include <algorithm>

#include "wait.h"

namespace share_data {

View Table::look(int segment) const {
  View view;
  view.segment = segment;
  view.changes = changes;
  view.slots.resize(std::min<std::size_t>(used, slot_count));
  for (std::size_t i = 0; i < view.slots.size(); ++i) {
    const Word owner = slots[i].owner;
    if (owner == 0) continue;
    // Nobody counts a copy that is still writing its alarm words: those who watch it would not all be woken if it died.
    const bool is_ready = tid_of(slots[i].alarms.back().owner) == tid_of(owner);
    view.slots[i] = {owner, is_ready ? slots[i].leaving.load() : tid_of(owner)};
    view.live += is_counted(view.slots[i]) ? 1 : 0;
    view.gone += is_gone(owner) ? 1 : 0;
    ++view.claimed;
  }
  return view;
}

bool Table::replace(std::uint32_t index, Word from, Word to, const Log& log) {
  const bool replaced = slots[index].owner.compare_exchange_strong(from, to);
  if (replaced && log.explains()) log.explain("slot {}: {} -> {}", index, to_text(from), to_text(to));
  return replaced;
}

void Table::cover(std::uint32_t index) {
  std::uint32_t seen = used;
  while (seen <= index && !used.compare_exchange_weak(seen, index + 1)) {}
}

void Table::tell(const Log& log) {
  const std::uint32_t before = changes++;
  const long woken = futex_wake_all(changes);
  log.explain("changes: {} -> {}, and a wake for all who wait on it: {} woken", before, before + 1, woken);
}

// Tell first: whoever is killed between the two leaves the words as they are, for the next one who looks.
void Table::free_the_gone(const View& view, const Log& log) {
  if (view.gone == 0) return;
  tell(log);
  for (std::uint32_t i = 0; i < view.slots.size(); ++i) {
    if (is_gone(view.slots[i].owner)) replace(i, view.slots[i].owner, 0, log);
  }
}

std::string to_text(Word owner) {
  std::string text = tid_of(owner) != 0 ? std::to_string(tid_of(owner)) : "";
  if ((owner & FUTEX_WAITERS) != 0) text += text.empty() ? "WAITERS" : "|WAITERS";
  if ((owner & FUTEX_OWNER_DIED) != 0) text += text.empty() ? "OWNER_DIED" : "|OWNER_DIED";
  return text.empty() ? "0" : text;
}

}  // namespace share_data
