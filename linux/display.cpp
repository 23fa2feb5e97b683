#include "display.h"

#include <algorithm>

#include <fmt/format.h>

#include "futex.h"

namespace share_data {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

/// After a line the next one comes no sooner than this. A copy that cools down does not sleep on the futex,
/// so in a mass start each copy wakes now and then instead of once for every other one. The cost of a line on
/// every screen grows with the number of screens; so does the pause, and N copies cost each other N and not
/// N² lines.
std::chrono::microseconds cooling(std::uint32_t live) {
  return std::max<std::chrono::microseconds>(16ms, live * 64us);
}

/// While changes keep coming, the watch over the others is brought up to date this often.
constexpr auto follow_interval = 250ms;

/// Who left one slot and joined in another has only moved, as all do when the segment was removed. One for one:
/// whoever had two slots, by somebody's garbage, and has one now is one less.
void drop_movers(Event& event) {
  std::erase_if(event.left, [&](std::uint32_t pid) {
    const auto joined = std::ranges::find(event.joined, pid);
    if (joined == event.joined.end()) return false;
    event.joined.erase(joined);
    return true;
  });
}

/// What has happened between two looks at the table.
Event difference(const Slots& before, const Slots& now) {
  Event event{.live = count_occupied(now)};
  for (std::size_t i = 0; i < std::max(before.size(), now.size()); ++i) {
    const Slot old = slot_at(before, i);
    const Slot current = slot_at(now, i);
    if (old == current) continue;
    if (is_occupied(current)) event.joined.push_back(pid_of(Identity{current}));
    if (!is_occupied(old)) continue;
    auto& gone = current == tombstone_of(Identity{old}) ? event.killed : event.left;
    gone.push_back(pid_of(Identity{old}));
  }
  drop_movers(event);
  return event;
}

bool is_empty(const Event& event) { return event.joined.empty() && event.left.empty() && event.killed.empty(); }

}  // namespace

Display::End Display::run() {
  try {
    const End end = show_changes();
    if (end == End::told_to) print_last();
    say_that_it_has_ended();
    return end;
  } catch (...) {
    say_that_it_has_ended();
    throw;
  }
}

void Display::say_that_it_has_ended() {
  ended_ = 1;
  futex_wake_all(ended_, FutexScope::process);
  watch_.nudge();
}

Display::End Display::show_changes() {
  if (!shown_.empty()) cool_down(4 * count_occupied(shown_));  // all the others move too: one line for most of them
  for (;;) {
    // First of all: whatever changes from here on, the wait at the end does not sleep over it.
    const std::uint32_t seen = membership_.table().changes;
    const Slots now = membership_.table().look();
    const SegmentState state = membership_.segment().state();
    // After the look, which may miss our own slot because we are just leaving.
    if (membership_.is_leaving() || finishing_ != 0) return End::told_to;
    if (state.removed) return End::segment_removed;
    if (membership_.keep_place(now) || bury_unattached(now, state)) continue;
    if (report(now)) {
      cool_down(count_occupied(now));
      if (membership_.table().changes != seen) {
        if (steady_clock::now() - followed_at_ >= follow_interval) follow(now, Watch::reach_in_a_hurry);
        continue;
      }
    }
    follow(now, Watch::reach);
    membership_.table().wait_for_change(seen);
  }
}

/// The kernel is our witness: a process that is not attached is no copy, be it that it died while it joined or that
/// somebody wrote into the table. Where more slots are occupied than processes attached, those that are new are
/// looked at before anybody is told of them. True if one was buried.
bool Display::bury_unattached(const Slots& now, const SegmentState& state) {
  if (count_occupied(now) <= state.attached) return false;
  bool buried = false;
  for (std::size_t i = 0; i < now.size(); ++i) {
    const bool is_new = is_occupied(now[i]) && slot_at(shown_, i) != now[i];
    if (is_new && !is_alive(Identity{now[i]})) buried |= membership_.table().bury(Identity{now[i]});
  }
  if (buried) membership_.table().announce();
  return buried;
}

/// Prints what has happened since the last line, if anything has.
bool Display::report(const Slots& now) {
  Event event = difference(shown_, now);
  if (shown_.empty()) {
    event.kind = Event::Kind::joined;
    event.joined = {pid_of(membership_.identity())};
  }
  shown_ = now;
  if (is_empty(event)) return false;
  event.plain = membership_.table().plain;
  print(event);
  return true;
}

void Display::follow(const Slots& now, std::size_t nearest) {
  const std::vector<Identity> dead = watch_.follow(now, membership_.identity(), nearest);
  for (const Identity identity : dead) membership_.table().bury(identity);
  if (!dead.empty()) membership_.table().announce();
  followed_at_ = steady_clock::now();
}

void Display::cool_down(std::uint32_t live) const {
  const auto until = steady_clock::now() + cooling(live);
  for (auto now = steady_clock::now(); now < until && finishing_ == 0; now = steady_clock::now()) {
    futex_wait(finishing_, 0, FutexScope::process, until - now);
  }
}

void Display::print(const Event& event) {
  if (const std::error_code error = log_.event(event)) throw OutputFailed(error);
}

void Display::print_last() {
  while (finishing_ == 0) futex_wait(finishing_, 0, FutexScope::process);
  if (!remains_) return;
  print({.kind = Event::Kind::left,
         .live = remains_->live,
         .plain = remains_->plain,
         .left = {pid_of(membership_.identity())},
         .remark = remains_->removed_segment ? "last one out, segment removed" : ""});
}

bool Display::finish(const std::optional<Remains>& remains, std::chrono::milliseconds patience) {
  remains_ = remains;
  finishing_ = 1;
  if (!remains) membership_.table().announce();  // leaving has not woken us
  futex_wake_all(finishing_, FutexScope::process);
  const auto until = steady_clock::now() + patience;
  for (auto now = steady_clock::now(); ended_ == 0 && now < until; now = steady_clock::now()) {
    futex_wait(ended_, 0, FutexScope::process, until - now);
  }
  return ended_ != 0;
}

}  // namespace share_data
