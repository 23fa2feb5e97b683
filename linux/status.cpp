#include "status.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "membership.h"
#include "segment.h"
#include "table.h"

namespace share_data {
namespace {

double seconds_since(std::int64_t joined) {
  return std::max(0.0,
                  static_cast<double>(milliseconds_now() - joined) / 1000);  // the clock may have been set back
}

/// The longest running first. Copies in a removed segment still run; they are there until they notice.
std::vector<Instance> instances_in(const std::vector<Segment>& segments) {
  std::vector<Instance> instances;
  for (const Segment& segment : segments) {
    const View view = segment.table().look(segment.id());
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
  if (!is_counted(slot)) return has_just_joined(slot.owner) ? "is joining; not counted yet" : "leaving; not counted";
  return has_just_joined(slot.owner) ? "has just joined, not everybody has been told; counted" : "running; counted";
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
  add("admitting", std::to_string(table.admitting), "whose turn it is to join under --max");
  add("used", std::to_string(table.used), "no slot from this one on has ever been claimed");
  add("changes", std::to_string(table.changes), "the futex that everybody waits on; goes up with every change");
  add("plain", std::to_string(table.plain), "the article's counter: ++ on start, -- on a clean exit");
  const View view = table.look(segment.id());
  for (std::size_t i = 0; i < view.slots.size(); ++i) {
    const SeenSlot& slot = view.slots[i];
    if (slot.owner == 0) continue;
    add(fmt::format("slot {}", i), to_text(slot.owner), meaning_of(slot));
    if (slot.leaving != 0) add("", std::to_string(slot.leaving), "has left this slot on its own, or is leaving it");
  }
  return text;
}

}  // namespace

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
