#include "membership.h"

#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

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
    const bool is_joining = mark_of(word) == Mark::joining;
    if (i == own_slot || !(is_joining || is_counted(word)) || !is_alive(identity_of(word))) continue;
    others.live += is_joining ? 0 : 1;
    others.joining += is_joining ? 1 : 0;
    others.joining_before += is_joining && i < own_slot ? 1 : 0;
  }
  return others;
}

}  // namespace

Membership::Membership(Table& table, const Log& log)
    : log_(log), table_(table), identity_(own_identity(let_everybody_watch(log))), watch_(table, log) {}

Membership::~Membership() {
  if (has_left_) return;
  try {
    leave();
  } catch (const Failure&) {  // NOLINT(bugprone-empty-catch): the end of the process wakes those who watch it
  }
}

bool Membership::join(std::optional<std::uint32_t> max) {
  if (!max) claim(Mark::notifying);
  if (max && !claim_below(*max)) return false;
  ++table_.plain;
  has_joined_ = true;
  get_ready();
  return true;
}

void Membership::get_ready() {
  notify(table_, log_);
  table_.replace(slot_, word_of(identity_, Mark::notifying), word_of(identity_), log_);
}

void Membership::claim(Mark mark) {
  auto slot = table_.claim(word_of(identity_, mark), log_);
  if (!slot) {
    for (const Word word : table_.look().slots) {  // make room: some may have ended
      if (word != 0 && !is_alive(identity_of(word))) table_.take_out(identity_of(word), log_);
    }
    notify(table_, log_);
    slot = table_.claim(word_of(identity_, mark), log_);
  }
  if (!slot) {
    throw Failure("all slots of the table are taken", fmt::format("this program counts {} copies at most", slot_count));
  }
  slot_ = *slot;
}

/// Claims a slot under --max; false if a request to leave comes first. Each copy looks again after its claim; so of too
/// many, the last one to look sees them all. Then those in the lowest slots keep their claims, and the others withdraw
/// theirs and look every 20 ms. A copy that is suspended while it joins takes a place: after a hundred looks, about 2
/// s, this one gives up.
bool Membership::claim_below(std::uint32_t max) {
  bool claimed = false;
  const auto withdraw = [&] {
    if (std::exchange(claimed, false)) table_.replace(slot_, word_of(identity_, Mark::joining), 0, log_);
  };
  Others others;
  for (int looks = 0; looks < 100; ++looks) {
    others = count_others(table_.look(), claimed ? slot_ : slot_count);
    if (stop_request::made()) {
      withdraw();
      return false;
    }
    if (others.live + others.joining < max) {
      const Word joining = word_of(identity_, Mark::joining);
      if (claimed && table_.replace(slot_, joining, word_of(identity_, Mark::notifying), log_)) return true;
      claim(Mark::joining);
      claimed = true;
      continue;
    }
    if (others.live >= max) break;
    if (others.live + others.joining_before >= max) withdraw();
    WaitForSingleObject(stop_request::event(), 20);
  }
  withdraw();
  const std::string joining = others.live < max ? fmt::format(" and {} joining", others.joining) : "";
  throw Failure(fmt::format("not joining: {} live{}, --max {}", others.live, joining, max), {}, refused);
}

View Membership::look() {
  for (;;) {
    watch_.begin_look();
    View view = table_.look();
    if (table_.slots[slot_] != word_of(identity_)) {  // somebody has overwritten it: anybody may write anything
      claim(Mark::notifying);
      get_ready();
      continue;
    }
    const std::vector<Identity> ended = watch_.follow(view, slot_);
    if (ended.empty()) return view;
    for (const Identity identity : ended) table_.take_out(identity, log_);
    notify(table_, log_);
  }
}

// It notifies before its last line: if nobody takes that, the others must not wait for it.
Event Membership::leave() {
  has_left_ = true;
  if (has_joined_) {
    --table_.plain;
    table_.leave(slot_, identity_, log_);
    notify(table_, log_);
  }
  Event event{.kind = Event::Kind::left, .live = table_.look().live, .plain = table_.plain, .left = {pid()}};
  if (event.live == 0) event.remark = "last one out, the memory goes too";
  return event;
}

}  // namespace share_data
