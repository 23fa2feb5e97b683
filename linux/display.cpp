#include "display.h"

#include <algorithm>
#include <cstddef>
#include <system_error>
#include <utility>
#include <vector>

#include "wait.h"

namespace share_data {
namespace {

/// The TID in slot `i` if it is counted, or 0.
Word counted_tid(const View& view, std::size_t i) {
  return i < view.slots.size() && is_counted(view.slots[i]) ? tid_of(view.slots[i].owner) : 0;
}

}  // namespace

const View& Display::show(View now) {
  Event event = difference(now);
  if (shown_.slots.empty()) {
    event.kind = Event::Kind::joined;
    event.joined = {membership_.tid()};
  }
  shown_ = std::move(now);
  if (!event.joined.empty() || !event.left.empty() || !event.killed.empty()) {
    print(event);
    cool_down(event.live);
  }
  return shown_;
}

/// What has happened between the last line and `now`. A copy that left one slot and joined in another has only
/// moved, as all do when the segment was removed.
Event Display::difference(const View& now) const {
  Event event{.live = now.live, .plain = membership_.table().plain};
  std::vector<std::size_t> gone;
  for (std::size_t i = 0; i < std::max(now.slots.size(), shown_.slots.size()); ++i) {
    if (i < now.slots.size() && i < shown_.slots.size() && now.slots[i] == shown_.slots[i]) continue;  // nearly always
    const Word before = counted_tid(shown_, i);
    const Word after = counted_tid(now, i);
    if (before == after) continue;
    if (before != 0) gone.push_back(i);
    if (after != 0) event.joined.push_back(after);
  }
  for (const std::size_t i : gone) {
    const Word tid = counted_tid(shown_, i);
    const auto moved = std::ranges::find(event.joined, tid);
    if (moved != event.joined.end()) {
      event.joined.erase(moved);
    } else {
      (was_killed(i, now) ? event.killed : event.left).push_back(tid);
    }
  }
  return event;
}

/// A copy that leaves on its own writes its TID to `leaving` first. So if what we saw there while it ran is still
/// there, it was killed.
bool Display::was_killed(std::size_t slot, const View& now) const {
  return now.segment == shown_.segment && membership_.table().slots[slot].leaving == shown_.slots[slot].leaving;
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
