#include "display.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "segment.h"
#include "wait.h"

namespace share_data {
namespace {

/// The TID of the copy in `slot` if it is counted, or 0.
Word counted_tid(const SeenSlot& slot) { return is_counted(slot) ? tid_of(slot.owner) : 0; }

double seconds_since(std::int64_t joined) {
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  return std::max(0.0,
                  (static_cast<double>(now) - static_cast<double>(joined)) / 1e9);  // the clock may have been set back
}

/// The longest running first. Copies in a removed segment still run; they are there until they notice.
std::vector<Instance> instances_in(const std::vector<Segment>& segments) {
  std::vector<Instance> instances;
  for (const Segment& segment : segments) {
    const View view = segment.table().look();
    const bool plausible = view.live < segment.state().attached;  // we are attached, too
    const std::vector<Instance> elsewhere = instances;            // a copy that is moving has a slot in both segments
    for (std::size_t i = 0; i < view.slots.size(); ++i) {
      const Word tid = tid_of(view.slots[i].owner);
      const bool known = std::ranges::find(elsewhere, tid, &Instance::pid) != elsewhere.end();
      if (!is_counted(view.slots[i]) || known || (!plausible && is_missing(tid))) continue;
      instances.push_back({tid, seconds_since(segment.table().slots[i].joined)});
    }
  }
  std::ranges::stable_sort(instances, std::greater{}, &Instance::seconds);
  return instances;
}

std::string_view meaning_of(const SeenSlot& slot) {
  if (is_gone(slot.owner)) return "gone: the kernel took the TID out; not everybody has been told";
  if (is_joining(slot.owner)) return "is joining; not counted yet";
  if (!is_counted(slot)) return "leaving; not counted";
  return is_untold(slot.owner) ? "has just joined, not everybody has been told; counted" : "running; counted";
}

/// The memory itself, word by word.
std::string words_in(const Segment& segment) {
  const Table& table = segment.table();
  const SegmentState state = segment.state();
  std::string text = fmt::format("\nsegment {}{}, {} bytes, processes attached: {}, this one included\n", segment.id(),
                                 state.removed ? " (removed)" : "", sizeof(Table), state.attached);
  const auto add = [&](std::string_view word, const std::string& value, std::string_view meaning) {
    text += fmt::format("  {:<10}  {:<18}  {}\n", word, value, meaning);
  };
  add("magic", fmt::format("{:#x}", table.magic.load()), "a table of version 2");
  add("key", fmt::format("{:#010x}", table.key.load()), "the kernel forgets it when the segment is removed");
  add("gathered", std::to_string(table.gathered), "1: copies in removed segments of this key have been told");
  add("used", std::to_string(table.used), "no slot from this one on has ever been claimed");
  add("changes", std::to_string(table.changes), "the futex that everybody waits on; goes up with every change");
  add("plain", std::to_string(table.plain), "the article's counter: ++ on start, -- on a clean exit");
  const View view = table.look();
  for (std::size_t i = 0; i < view.slots.size(); ++i) {
    const SeenSlot& slot = view.slots[i];
    if (slot.owner == 0) continue;
    add(fmt::format("slot {}", i), to_text(slot.owner), meaning_of(slot));
    if (slot.leaving != 0) add("", std::to_string(slot.leaving), "has left this slot on its own, or is leaving it");
  }
  return text;
}

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

void Display::print(const Event& event) const {
  if (const std::error_code error = log_.event(event)) throw std::system_error(error, "standard output");
}

void print_status(key_t key, const Log& log) {
  std::vector<Segment> segments = Segment::open_removed(key, Access::read_only);
  if (auto current = Segment::open_existing(key)) segments.insert(segments.begin(), std::move(*current));
  std::string words;
  for (const Segment& segment : segments) words += log.explains() ? words_in(segment) : "";
  const std::int32_t plain = segments.empty() ? 0 : segments.front().table().plain.load();
  if (const auto error = log.status(instances_in(segments), plain, words)) {
    throw std::system_error(error, "standard output");
  }
}

}  // namespace share_data
