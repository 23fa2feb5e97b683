#include "display.h"

#include <algorithm>
#include <span>
#include <system_error>
#include <vector>

#include "wait.h"

namespace share_data {
namespace {

using Entries = std::span<const Entry>;

/// Those in `some` that count and do not count, in the same slot, in `others`.
std::vector<Entry> only_in(Entries some, Entries others) {
  std::vector<Entry> result;
  for (const Entry& entry : some) {
    const auto twin = std::ranges::lower_bound(others, entry.index, {}, &Entry::index);
    const bool in_both = twin != others.end() && twin->index == entry.index && is_counted(*twin) &&
                         tid_of(twin->owner) == tid_of(entry.owner);
    if (is_counted(entry) && !in_both) result.push_back(entry);
  }
  return result;
}

/// Drops what both begin and end with: from one look to the next, nearly everything.
void drop_what_is_equal(Entries& a, Entries& b) {
  const auto front = std::ranges::mismatch(a, b).in1 - a.begin();
  a = a.subspan(static_cast<std::size_t>(front));
  b = b.subspan(static_cast<std::size_t>(front));
  const auto back = std::mismatch(a.rbegin(), a.rend(), b.rbegin(), b.rend()).first - a.rbegin();
  a = a.first(a.size() - static_cast<std::size_t>(back));
  b = b.first(b.size() - static_cast<std::size_t>(back));
}

}  // namespace

void Display::show(const View& now) {
  Event event = difference(now);
  if (shown_.entries.empty()) {
    event.kind = Event::Kind::joined;
    event.joined = {membership_.tid()};
  }
  shown_ = now;
  if (event.joined.empty() && event.left.empty() && event.killed.empty()) return;
  print(event);
  cool_down(event.live);
}

/// What has happened between the last line and `now`. A copy that left one slot and joined in another has only
/// moved, as all do when the segment was removed.
Event Display::difference(const View& now) const {
  Event event{.live = now.live, .plain = membership_.table().plain};
  Entries before = shown_.entries;
  Entries after = now.entries;
  drop_what_is_equal(before, after);
  for (const Entry& entry : only_in(after, before)) event.joined.push_back(tid_of(entry.owner));
  for (const Entry& entry : only_in(before, after)) {
    const auto moved = std::ranges::find(event.joined, tid_of(entry.owner));
    if (moved != event.joined.end()) {
      event.joined.erase(moved);
    } else {
      (was_killed(entry, now) ? event.killed : event.left).push_back(tid_of(entry.owner));
    }
  }
  return event;
}

/// A copy that leaves by itself writes its TID to `leaving` first. So if what we saw there while it ran is still
/// there, it was killed.
bool Display::was_killed(const Entry& gone, const View& now) const {
  return now.segment == shown_.segment && membership_.table().slots[gone.index].leaving == gone.leaving;
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
