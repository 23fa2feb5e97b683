#include "membership.h"

#include <fmt/format.h>

#include <algorithm>

#include "failure.h"
#include "stop_request.h"
#include "win32.h"

namespace share_data {
namespace {

/// Slots of other copies, as far as those are alive.
struct Others {
  std::uint32_t live = 0;
  std::uint32_t joining = 0;         ///< under --max
  std::uint32_t joining_before = 0;  ///< those of them in the slots before ours
};

Others count_others(const View& view, std::size_t own_slot) {
  Others others;
  for (std::size_t i = 0; i < slot_count; ++i) {
    const Word word = view.slots[i];
    const bool is_candidate = mark_of(word) == Mark::candidate;
    if (i == own_slot || !(is_candidate || is_counted(word)) || !is_alive(identity_of(word))) continue;
    others.live += is_candidate ? 0 : 1;
    others.joining += is_candidate ? 1 : 0;
    others.joining_before += is_candidate && i < own_slot ? 1 : 0;
  }
  return others;
}

}  // namespace

Membership::Membership(Table& table, const Log& log)
    : log_(log), table_(table), identity_(own_identity()), watch_(table, log) {}

Membership::~Membership() {
  if (!has_left_) leave();
}

void Membership::join(std::optional<std::uint32_t> max) {
  let_everybody_watch(log_);
  max ? claim_below(*max) : claim(Mark::joining);
  ++table_.plain;
  has_joined_ = true;
  get_ready();
}

void Membership::get_ready() {
  tell(table_, log_);
  table_.replace(slot_, word_of(identity_, Mark::joining), word_of(identity_), log_);
}

void Membership::claim(Mark mark) {
  auto slot = table_.claim(word_of(identity_, mark), log_);
  if (!slot) {
    for (const Word word : table_.look().slots) {  // make room: some may be dead
      if (word != 0 && !is_alive(identity_of(word))) table_.take_out(identity_of(word), log_);
    }
    tell(table_, log_);
    slot = table_.claim(word_of(identity_, mark), log_);
  }
  if (!slot) {
    throw Failure("all slots of the table are taken", fmt::format("this program counts {} copies at most", slot_count));
  }
  slot_ = *slot;
}

/// Claims a slot under --max. Each copy looks again after its claim; so of too many, the last one to look sees them
/// all. Then those in the lowest slots keep their claims, and the others withdraw theirs and look every 20 ms. A copy
/// that is suspended while it joins takes a place: after a hundred looks, about 2 s, this one gives up.
void Membership::claim_below(std::uint32_t max) {
  bool claimed = false;
  const auto withdraw = [&] { table_.replace(slot_, word_of(identity_, Mark::candidate), 0, log_); };
  for (int looks = 0; looks < 100; ++looks) {
    const Others others = count_others(table_.look(), claimed ? slot_ : slot_count);
    if (others.live + others.joining < max) {
      if (claimed) {
        table_.replace(slot_, word_of(identity_, Mark::candidate), word_of(identity_, Mark::joining), log_);
        return;
      }
      claim(Mark::candidate);
      claimed = true;
      continue;
    }
    if (others.live >= max || StopRequest::made()) break;
    if (claimed && others.live + others.joining_before >= max) {
      withdraw();
      claimed = false;
    }
    WaitForSingleObject(StopRequest::event(), 20);
  }
  if (claimed) withdraw();
  throw Failure(fmt::format("not joining: {} live, --max {}", std::max(table_.look().live, max), max), {}, refused);
}

View Membership::look() {
  for (;;) {
    watch_.begin_look();
    View view = table_.look();
    if (repair_own_slot(view)) continue;
    const std::vector<Identity> ended = watch_.follow(view, slot_);
    if (ended.empty()) return view;
    for (const Identity identity : ended) table_.take_out(identity, log_);
    tell(table_, log_);
  }
}

/// Claims a slot again if ours has been overwritten, and frees all others that say they are ours: anybody may write
/// anything. True if something had to be done.
bool Membership::repair_own_slot(const View& view) {
  bool repaired = false;
  for (std::uint32_t i = 0; i < slot_count; ++i) {
    const Word word = view.slots[i];
    const bool is_second = identity_of(word) == identity_ && i != slot_;
    if (is_second && mark_of(word) != Mark::killed) repaired |= table_.replace(i, word, 0, log_);
  }
  if (table_.slots[slot_] != word_of(identity_)) {
    claim(Mark::joining);
    repaired = true;
  }
  if (repaired) get_ready();
  return repaired;
}

Event Membership::leave() {
  has_left_ = true;
  if (has_joined_) {
    --table_.plain;
    table_.replace(slot_, word_of(identity_), word_of(identity_, Mark::leaving), log_);
  }
  Event event{.kind = Event::Kind::left, .live = table_.look().live, .plain = table_.plain, .left = {pid()}};
  if (event.live == 0) event.remark = "last one out, the memory goes too";
  return event;
}

}  // namespace share_data
