#include "display.h"

#include <algorithm>
#include <cstdint>
#include <system_error>
#include <utility>
#include <vector>

#include "wait.h"

namespace share_data {
namespace {

/// The TID of the copy in `slot` if it is counted, or 0.
Word counted_tid(const SeenSlot& slot) { return is_counted(slot) ? tid_of(slot.owner) : 0; }

}  // namespace

void Display::show(const View& now) {
  const bool is_first = shown_.empty();
  Event event = difference(now);
  segment_ = now.segment;
  if (is_first) {
    event.kind = Event::Kind::joined;
    event.joined = {membership_.tid()};
  }
  if (event.joined.empty() && event.left.empty() && event.killed.empty()) return;
  print(event);
  cool_down(event.live);
}

/// What has happened between the last line and `now`. A copy that left one slot and joined in another has only
/// moved, as all do when the segment was removed.
Event Display::difference(const View& now) {
  Event event{.live = now.live, .plain = membership_.table().plain};
  std::vector<std::pair<std::uint32_t, SeenSlot>> gone;
  shown_.resize(now.slots.size());
  for (const std::uint32_t i : now.changed) {
    const SeenSlot before = std::exchange(shown_[i], now.slots[i]);
    const Word tid = counted_tid(now.slots[i]);
    if (tid == counted_tid(before)) continue;
    if (is_counted(before)) gone.emplace_back(i, before);
    if (tid != 0) event.joined.push_back(tid);
  }
  for (const auto& [i, before] : gone) {
    const Word tid = tid_of(before.owner);
    const auto moved = std::ranges::find(event.joined, tid);
    if (moved != event.joined.end()) {
      event.joined.erase(moved);
    } else {
      // A copy that leaves on its own writes its TID to `leaving` first. So if what we saw there while it ran is still
      // there, it was killed.
      const bool was_killed = now.segment == segment_ && membership_.table().slots[i].leaving == before.leaving;
      (was_killed ? event.killed : event.left).push_back(tid);
    }
  }
  return event;
}

void Display::show_last(const Remains& remains) const {
  Event event{.kind = Event::Kind::left, .live = remains.live, .plain = remains.plain, .left = {membership_.tid()}};
  if (remains.removed_segment) event.remark = "last one out, segment removed";
  print(event);
}

void Display::print(const Event& event) const {
  if (const std::error_code error = log_.event(event)) throw std::system_error(error, "standard output");
}

}  // namespace share_data
