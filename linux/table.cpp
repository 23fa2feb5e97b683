#include "table.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <tuple>

#include "failure.h"

namespace share_data {
namespace {

constexpr std::uint32_t ring_size = std::tuple_size_v<decltype(Table::left)>;

/// What `left` holds of a copy: its slot, and the low bits of its start, which come again after 52 days.
std::uint64_t entry_of(std::uint32_t index, std::int64_t joined) {
  return std::uint64_t{index} << 52U | (static_cast<std::uint64_t>(joined) & ((std::uint64_t{1} << 52U) - 1));
}

/// The words of one slot, as they were at one moment: `owner` is the same before and after.
SeenSlot read(const Slot& slot) {
  for (;;) {
    const SeenSlot seen{slot.owner, slot.leaver, slot.joined};
    if (tid_of(seen.owner) == 0) return {.owner = seen.owner};
    if (slot.owner == seen.owner) return seen;
  }
}

}  // namespace

View Table::look(View before) const {
  View view{
      .changes = changes, .left = left_count, .slots = std::move(before.slots), .earlier = std::move(before.earlier)};
  for (std::uint32_t i = 0; i < slot_count; ++i) {
    SeenSlot& slot = view.slots[i];
    if (const SeenSlot now = read(slots[i]); now != slot) {
      view.earlier.emplace_back(i, slot);
      slot = now;
    }
    if (slot.owner == 0) continue;
    view.live += is_counted(slot) ? 1U : 0U;
    view.joining += is_joining(slot.owner) ? 1U : 0U;
    view.marked += is_marked(slot.owner) ? 1U : 0U;
    ++view.claimed;
  }
  return view;
}

bool Table::replace(std::uint32_t index, Word from, Word to, const Log& log) {
  const bool replaced = slots[index].owner.compare_exchange_strong(from, to);
  if (replaced && log.explains()) log.explain("slot {}: {} -> {}", index, to_text(from), to_text(to));
  return replaced;
}

void Table::notify(const Log& log) {
  const std::uint32_t before = changes++;
  const long woken = syscall(SYS_futex, &changes, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
  if (woken < 0) throw failed_call(errno, "futex");
  log.explain("changes: {} -> {}: all copies are notified", before, before + 1);
}

// Notify first: if this copy is killed or stopped between the two steps, the marks are still there for the next one.
void Table::free_marked(const View& view, const Log& log) {
  if (view.marked == 0) return;
  notify(log);
  for (std::uint32_t i = 0; i < slot_count; ++i) {
    if (is_marked(view.slots[i].owner)) replace(i, view.slots[i].owner, 0, log);
  }
}

// In this order, whoever misses this copy in the table finds it in `left`. A copy can be stopped at any step, and go on
// when others have used its place in the ring. So it does not write there any more (the value has changed since it was
// read), and it writes another entry if half of the ring is new. The slot still holds its TID then.
void Table::leave(std::uint32_t index, Word tid, const Log& log) {
  Slot& slot = slots[index];
  std::uint32_t number = 0;
  const auto is_late = [&] { return left_count - number > ring_size / 2; };
  const auto append = [&] {
    number = left_count++;
    std::atomic<std::uint64_t>& place = left[number % ring_size];
    std::uint64_t older = place;
    return !is_late() && place.compare_exchange_strong(older, entry_of(index, slot.joined));
  };
  do {
    while (!append()) {}
    log.explain("left[{}] = slot {}, {}: I leave normally", number % ring_size, index, tid);
    slot.leaver = tid;
    log.explain("slot {}: leaver = {}: not counted from here on", index, tid);
  } while (is_late());
}

std::optional<bool> Table::has_left(std::uint32_t index, const SeenSlot& seen, std::uint32_t since) const {
  const SeenSlot now = read(slots[index]);
  const bool is_still_there = now.owner == seen.owner && now.joined == seen.joined;
  if (is_still_there && now.leaver == tid_of(now.owner)) return true;
  const auto entry = entry_of(index, seen.joined);
  if (std::ranges::any_of(left, [&](const auto& other) { return other == entry; })) return true;
  return left_count - since > ring_size / 2 ? std::nullopt : std::optional{false};
}

std::string to_text(Word owner) {
  std::string text = tid_of(owner) != 0 ? std::to_string(tid_of(owner)) : "";
  if ((owner & FUTEX_WAITERS) != 0) text += text.empty() ? "WAITERS" : "|WAITERS";
  if ((owner & FUTEX_OWNER_DIED) != 0) text += text.empty() ? "OWNER_DIED" : "|OWNER_DIED";
  return text.empty() ? "0" : text;
}

}  // namespace share_data
