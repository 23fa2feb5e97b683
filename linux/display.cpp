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

using Copy = std::pair<std::int64_t, Word>;  // when it started, and its TID
Copy copy_in(const SeenSlot& slot) { return {slot.joined, tid_of(slot.owner)}; }

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
  add("key", fmt::format("{:#010x}", table.key.load()), "the kernel forgets it when the segment is removed");
  add("changes", std::to_string(table.changes), "the futex that all copies wait for; goes up with every change");
  add("plain", std::to_string(table.plain), "the article's counter: ++ on start, -- on a clean exit");
  add("left", std::to_string(table.left_count), "how many copies have left normally");
  const View view = table.look();
  for (std::size_t i = 0; i < view.slots.size(); ++i) {
    const SeenSlot& slot = view.slots[i];
    if (slot.owner != 0) add(fmt::format("slot {}", i), to_text(slot.owner), meaning_of(slot));
  }
  return text;
}

}  // namespace

void Display::show(const View& now) {
  Event event = difference(now);
  left_ = now.left;
  if (std::exchange(segment_, membership_.segment()) < 0) {
    event.kind = Event::Kind::joined;
    event.joined = {membership_.tid()};
  }
  if (event.joined.empty() && event.left.empty() && event.killed.empty() && event.unknown.empty()) return;
  print(event);
  cool_down(event.live);
}

/// What has happened between the look before and `now`. A copy that left one slot and joined in another has only moved:
/// all do when the segment was removed, and one does whose slot was overwritten.
Event Display::difference(const View& now) const {
  Event event{.live = now.live, .plain = membership_.table().plain};
  std::vector<Copy> joined;
  std::vector<std::pair<std::uint32_t, SeenSlot>> missing;
  std::vector<bool> done(slot_count);
  for (const auto& [i, before] : now.earlier) {
    const SeenSlot& after = now.slots[i];
    if (done[i]) continue;
    done[i] = true;
    if (is_counted(before) && is_counted(after) && copy_in(before) == copy_in(after)) continue;
    if (is_counted(before)) missing.emplace_back(i, before);
    if (is_counted(after)) joined.push_back(copy_in(after));
  }
  for (const auto& [i, before] : missing) {
    if (std::erase(joined, copy_in(before)) > 0) continue;
    std::optional<bool> left;  // stays empty if this copy has moved
    if (membership_.segment() == segment_) left = membership_.table().has_left(i, before, left_);
    const Word tid = tid_of(before.owner);
    (!left ? event.unknown : *left ? event.left : event.killed).push_back(tid);
    if (!left) continue;
    log_.explain("compared with the previous look: {} is not there any more, and {}in the list of those that left", tid,
                 *left ? "" : "not ");
  }
  for (const auto& [start, tid] : joined) event.joined.push_back(tid);
  return event;
}

void Display::print(const Event& event) const {
  if (const std::error_code error = log_.event(event)) throw std::system_error(error, "standard output");
}

// A copy that moves has a slot in a removed segment until it has one in the current segment: looked at in this order,
// it is not missed. If after that another segment is the current one, it may have moved there; then this starts over.
void print_status(key_t key, const Log& log) {
  std::vector<Segment> segments;
  std::set<Copy> copies;                         // the longest running first
  for (int id = -2; id != shmget(key, 0, 0);) {  // -1: none has the key
    auto current = Segment::open(key, SHM_RDONLY);
    id = current ? current->id() : -1;
    segments = Segment::open_removed(key, SHM_RDONLY);
    if (current) segments.push_back(std::move(*current));
    copies.clear();
    for (const Segment& segment : segments) {
      const View view = segment.table().look();
      const bool is_plausible = view.live < segment.state().shm_nattch;  // we are attached, too
      for (const SeenSlot& slot : view.slots) {
        if (!is_counted(slot) || (!is_plausible && is_missing(tid_of(slot.owner)))) continue;
        copies.insert(copy_in(slot));
      }
    }
  }
  std::vector<Instance> instances;
  for (const auto& [start, tid] : copies) {
    const double seconds = (static_cast<double>(nanoseconds_since_boot()) - static_cast<double>(start)) / 1e9;
    instances.push_back({tid, std::max(0.0, seconds)});  // in another time namespace, a clock can be ahead of ours
  }
  std::string words;
  for (const Segment& segment : segments) words.insert(0, log.explains() ? words_in(segment) : "");
  const std::int32_t plain = segments.empty() ? 0 : segments.back().table().plain.load();
  if (const auto error = log.status(instances, plain, words)) throw std::system_error(error, "standard output");
}

}  // namespace share_data
