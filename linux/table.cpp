#include "table.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

namespace share_data {

View Table::look(View before) const {
  View view = std::move(before);
  view.changes = changes;
  view.live = view.joining = view.gone = view.claimed = 0;
  view.slots.resize(std::max<std::size_t>(view.slots.size(), std::min<std::size_t>(used, slot_count)));
  for (std::uint32_t i = 0; i < view.slots.size(); ++i) {
    const Word owner = slots[i].owner;
    const SeenSlot seen{owner, owner == 0 ? 0U : slots[i].leaving.load()};
    view.live += is_counted(seen) ? 1 : 0;
    view.joining += is_joining(owner) ? 1 : 0;
    view.gone += is_gone(owner) ? 1 : 0;
    view.claimed += owner != 0 ? 1 : 0;
    if (seen == view.slots[i]) continue;
    view.slots[i] = seen;
    view.changed.push_back(i);
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
  const long woken = syscall(SYS_futex, &changes, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
  log.explain("changes: {} -> {}, and a wake for all who wait on it: {} woken", before, before + 1, woken);
}

// Tell first: a copy that is killed between the two steps leaves the words as they are for the next one that looks.
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
