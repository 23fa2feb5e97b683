#include "display.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "segment.h"

namespace share_data {
namespace {

bool is_same_copy(const SeenSlot& a, const SeenSlot& b) {
  return tid_of(a.owner) == tid_of(b.owner) && a.joined == b.joined;
}

/// The copies that run, the longest running first. `segments` has the removed ones first: a copy that moves has a slot
/// in the removed segment until it has one in the current segment, so looked at in this order, it is not missed.
std::vector<Instance> instances_in(const std::vector<Segment>& segments) {
  std::set<std::pair<std::int64_t, Word>> copies;  // when each started, and its TID
  for (const Segment& segment : segments) {
    const View view = segment.table().look();
    const bool plausible = view.live < segment.state().shm_nattch;  // we are attached, too
    for (const SeenSlot& slot : view.slots) {
      if (!is_counted(slot) || (!plausible && is_missing(tid_of(slot.owner)))) continue;
      copies.emplace(slot.joined, tid_of(slot.owner));
    }
  }
  std::vector<Instance> instances;
  for (const auto& [joined, tid] : copies) {
    const double seconds = static_cast<double>(nanoseconds_since_boot() - joined) / 1e9;
    instances.push_back({tid, std::max(0.0, seconds)});  // in another time namespace, a clock can be ahead of ours
  }
  return instances;
}

std::string_view meaning_of(const SeenSlot& slot) {
  if (is_marked(slot.owner)) return "marked: the copy has ended; not all copies have been notified";
  if (is_joining(slot.owner)) return "is joining; not counted yet";
  if (!is_counted(slot)) return "leaving; not counted";
  return is_new(slot.owner) ? "new: not all copies have been notified; counted" : "running; counted";
}

/// The memory itself, word by word.
std::string words_in(const Segment& segment) {
  const Table& table = segment.table();
  const shmid_ds state = segment.state();
  std::string text = fmt::format("\nsegment {}{}, {} bytes, processes attached: {}, this one included\n", segment.id(),
                                 is_removed(state) ? " (removed)" : "", sizeof(Table), state.shm_nattch);
  const auto add = [&](std::string_view word, const std::string& value, std::string_view meaning) {
    text += fmt::format("  {:<10}  {:<18}  {}\n", word, value, meaning);
  };
  add("magic", fmt::format("{:#x}", table.magic.load()), "a table of version 3");
  add("key", fmt::format("{:#010x}", table.key.load()), "the kernel forgets it when the segment is removed");
  add("gathered", std::to_string(table.gathered), "1: the copies in removed segments of this key have been notified");
  add("changes", std::to_string(table.changes), "the futex that all copies wait for; goes up with every change");
  add("plain", std::to_string(table.plain), "the article's counter: ++ on start, -- on a clean exit");
  add("left", std::to_string(table.left_count), "how many copies have left on their own");
  const View view = table.look();
  for (std::size_t i = 0; i < view.slots.size(); ++i) {
    const SeenSlot& slot = view.slots[i];
    if (slot.owner == 0) continue;
    add(fmt::format("slot {}", i), to_text(slot.owner), meaning_of(slot));
    if (slot.leaver != 0) add("", std::to_string(slot.leaver), "leaver: this copy leaves the slot on its own");
  }
  return text;
}

}  // namespace

void Display::show(const View& now) {
  const bool is_first = segment_ < 0;
  Event event = difference(now);
  segment_ = now.segment;
  left_ = now.left;
  if (is_first) {
    event.kind = Event::Kind::joined;
    event.joined = {membership_.tid()};
  }
  if (event.joined.empty() && event.left.empty() && event.killed.empty() && event.unknown.empty()) return;
  print(event);
  cool_down(event.live);
}

/// What has happened between the look before and `now`. A copy that left one slot and joined in another has only moved:
/// all do when the segment was removed, and one does whose slot was overwritten.
Event Display::difference(const View& now) {
  Event event{.live = now.live, .plain = membership_.table().plain};
  std::vector<SeenSlot> joined;
  std::vector<std::pair<std::uint32_t, SeenSlot>> missing;
  for (const std::uint32_t i : now.changed) {
    const SeenSlot before = std::exchange(shown_[i], now.slots[i]);
    const SeenSlot& after = shown_[i];
    if (is_counted(before) && is_counted(after) && is_same_copy(before, after)) continue;
    if (is_counted(before)) missing.emplace_back(i, before);
    if (is_counted(after)) joined.push_back(after);
  }
  for (const auto& [i, before] : missing) {
    const SeenSlot copy = before;  // clang 14 lets no lambda capture a structured binding
    if (std::erase_if(joined, [&](const SeenSlot& other) { return is_same_copy(other, copy); }) > 0) continue;
    const bool known = now.segment == segment_;
    add_end(event, tid_of(copy.owner), known ? membership_.table().end_of(i, copy, left_) : End::unknown);
  }
  for (const SeenSlot& copy : joined) event.joined.push_back(tid_of(copy.owner));
  return event;
}

void Display::add_end(Event& event, Word tid, End end) const {
  if (end == End::unknown) return event.unknown.push_back(tid);
  const bool left = end == End::left;
  log_.explain("compared with the previous look: {} is not there any more, and {} in the list of those that left", tid,
               left ? "is" : "not");
  (left ? event.left : event.killed).push_back(tid);
}

void Display::print(const Event& event) const {
  if (const std::error_code error = log_.event(event)) throw std::system_error(error, "standard output");
}

// If the current segment is removed while we look, or if there was none and one has come, then copies may have moved to
// where we did not look. Then it starts over.
void print_status(key_t key, const Log& log) {
  for (int attempts = 100;; --attempts) {
    auto current = Segment::open_existing(key);
    std::vector<Segment> segments = Segment::open_removed(key, Access::read_only);
    const std::size_t removed = segments.size();
    if (current) segments.push_back(std::move(*current));
    const std::vector<Instance> instances = instances_in(segments);
    const bool outdated =
        removed < segments.size() ? is_removed(segments.back().state()) : Segment::open_existing(key).has_value();
    if (outdated && attempts > 0) continue;
    std::string words;
    for (const Segment& segment : segments) words.insert(0, log.explains() ? words_in(segment) : "");
    const std::int32_t plain = segments.empty() ? 0 : segments.back().table().plain.load();
    if (const auto error = log.status(instances, plain, words)) throw std::system_error(error, "standard output");
    return;
  }
}

}  // namespace share_data
