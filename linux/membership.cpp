#include "membership.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <iterator>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "failure.h"
#include "stop_request.h"
#include "wait.h"

namespace share_data {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

/// Counts under --max: a copy that runs, or one that may be admitted next, but not one that is leaving.
bool takes_a_place(const SeenSlot& slot) {
  return is_counted(slot) || (!has_joined(slot.owner) && !is_missing(tid_of(slot.owner)));
}

}  // namespace

std::int64_t milliseconds_now() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()).time_since_epoch().count();
}

bool is_missing(Word tid) { return tid == 0 || (kill(static_cast<pid_t>(tid), 0) != 0 && errno == ESRCH); }

Membership::Membership(key_t key, const Log& log)
    : log_(log),
      key_(key),
      tid_(static_cast<Word>(gettid())),
      robust_list_(log),
      segment_(Segment::open_or_create(key, log)) {}

void Membership::join(std::optional<std::uint32_t> max) {
  while (!enter(max)) segment_ = Segment::open_or_create(key_, log_);
  log_.note("{} {}", segment_.created() ? "created" : "attached to", segment_.describe(key_));
}

Membership::~Membership() {
  if (left_) return;
  try {
    leave();
  } catch (const Failure&) {  // NOLINT(bugprone-empty-catch): the segment cannot be removed, and we end anyway
  }
}

/// Steps 2 to 5 of joining. False if the segment has been removed meanwhile.
bool Membership::enter(std::optional<std::uint32_t> max) {
  gather_removed();
  if (max) {
    take_turn();
    refuse_if_full(*max);
  }
  claim();
  if (max) {
    if (segment_.state().removed) {
      withdraw();
      return false;
    }
    refuse_if_full(*max);
    give_turn_back();
  }
  ++shared().plain;
  in_plain_ = true;
  get_ready();
  return true;
}

/// Counted from its second step on: whoever counts a copy watches it, and needs its alarm words for that.
void Membership::get_ready() {
  if (own().leaving == tid_) own().leaving = 0;  // of an earlier copy with our TID
  for (Slot::Alarm& alarm : own().alarms) alarm.owner = running_word(tid_);
  shared().replace(slot(), joining_word(tid_), joined_word(tid_), log_);
  shared().tell(log_);
  shared().replace(slot(), joined_word(tid_), running_word(tid_), log_);
}

/// Gives up a slot that is not counted yet, and only then the turn: the next one must not count us.
void Membership::withdraw() {
  if (slot_) shared().replace(*slot_, joining_word(tid_), 0, log_);
  slot_.reset();
  give_turn_back();
}

// Before the claim: a copy that comes here from a removed segment gives up the kernel's protection of its old owner
// word when it claims the new one. If it is killed then, those who rest in the old segment must be on their way
// already.
void Membership::gather_removed() {
  if (shared().gathered != 0) return;
  for (const Segment& removed : Segment::open_removed(key_, Access::read_write)) {
    log_.explain("copies may be in segment {}, which was removed:", removed.id());
    removed.table().tell(log_);
  }
  shared().gathered = 1;
}

void Membership::claim() {
  while (!try_to_claim()) {
    shared().cover(slot_count - 1);
    const View view = shared().look(segment_.id());
    if (!take_out_missing(view) && view.gone == 0 && view.claimed == slot_count) {
      throw Failure("all slots of the table are taken",
                    fmt::format("this program counts {} copies at most", slot_count));
    }
    shared().free_the_gone(shared().look(segment_.id()), log_);
  }
}

bool Membership::try_to_claim() {
  for (std::uint32_t i = 0; i < slot_count; ++i) {
    Slot& slot = shared().slots[i];
    if (slot.owner != 0) continue;
    shared().cover(i);
    robust_list_.point_at(slot);
    if (!shared().replace(i, 0, joining_word(tid_), log_)) continue;
    slot_ = i;
    slot.joined = milliseconds_now();
    return true;
  }
  return false;
}

/// True if more slots are claimed than processes are attached: the mark of one that died was lost, or somebody wrote
/// into the table. Looks twice, because a copy may have died between the look and the kernel's answer.
bool Membership::is_implausible(const View& view, const SegmentState& state) const {
  const auto claims_too_much = [&](const View& v) { return v.claimed - v.gone > state.attached; };
  return claims_too_much(view) && claims_too_much(shared().look(segment_.id()));
}

// Somebody else may have freed the slot of a copy that is gone without telling of this one: it told of an earlier
// owner of the slot and was stopped before it freed it. Then there is one copy less, and `changes` has not moved.
const View& Membership::look() {
  const auto [changes_before, live_before] = std::pair{view_.changes, view_.live};
  for (view_.changed.clear();;) {
    shared().cover(slot());  // anybody may have overwritten `used`
    view_.segment = segment_.id();
    shared().update(view_);
    const SegmentState state = segment_.state();
    if (state.removed) {
      join_again();
    } else if (!repair_own_slot() && !(is_implausible(view_, state) && take_out_missing(view_))) {
      if (view_.gone == 0 && view_.changes == changes_before && view_.live < live_before) shared().tell(log_);
      shared().free_the_gone(view_, log_);
      return view_;
    }
  }
}

void Membership::join_again() {
  log_.note("segment {} was removed; joining again", segment_.id());
  // The old segment stays attached until the robust list no longer points there.
  const Segment old = std::exchange(segment_, Segment::open_or_create(key_, log_));
  const std::uint32_t old_slot = slot();
  slot_.reset();  // if joining fails, there is nothing to leave
  in_plain_ = false;
  join();
  old.table().replace(old_slot, running_word(tid_), 0, log_);
  cool_down(4 * old.table().look(old.id()).live);  // the others come, too: one line for most of them
}

/// Claims a slot again if ours has been overwritten: anybody may write anything, and a copy in another PID
/// namespace takes us for missing. True if something had to be done.
bool Membership::repair_own_slot() {
  const bool alarms_are_set =
      std::ranges::all_of(own().alarms, [&](const Slot::Alarm& a) { return a.owner == running_word(tid_); });
  const bool has_slot = own().owner == running_word(tid_);
  if (has_slot && own().leaving != tid_ && alarms_are_set) return false;
  if (!has_slot) claim();
  get_ready();
  return true;
}

/// Marks what can be no other copy, as the kernel would have done. True if there was something to mark.
bool Membership::take_out_missing(const View& view) {
  bool found = false;
  for (std::uint32_t i = 0; i < view.slots.size(); ++i) {
    const Word tid = tid_of(view.slots[i].owner);
    if (i == slot_ || tid == 0) continue;
    if (tid != tid_ && !is_missing(tid)) continue;
    shared().replace(i, view.slots[i].owner, gone_word, log_);
    found = true;
  }
  return found;
}

/// Waits until it is our turn to be admitted. Turns are for progress, not for safety: without them, sixty copies
/// that start at once would all claim a slot, all see too many and all give up. Safety is that each counts after it
/// has claimed: of too many, the last one to count sees them all. So it does no harm to take the turn from a copy
/// that was killed, or that has had it for 2 s, because it is stopped.
void Membership::take_turn() {
  std::atomic<Word>& turn = shared().admitting;
  Word waited_for = 0;
  auto deadline = steady_clock::now();
  for (Word holder = 0; !StopRequest::made() && !turn.compare_exchange_strong(holder, tid_); holder = 0) {
    if (holder != waited_for) deadline = steady_clock::now() + 2s;
    waited_for = holder;
    const bool may_take_it = is_missing(tid_of(holder)) || steady_clock::now() > deadline;
    if (may_take_it && turn.compare_exchange_strong(holder, tid_)) return;
    futex_wait(turn, holder, 10ms);
  }
}

void Membership::give_turn_back() {
  Word expected = tid_;
  if (shared().admitting.compare_exchange_strong(expected, 0)) futex_wake_all(shared().admitting);
}

void Membership::refuse_if_full(std::uint32_t max) const {
  // First the removed segments: a copy that moves has a slot there until it has one here, and so is not missed.
  std::vector<SeenSlot> moving;
  for (const Segment& removed : Segment::open_removed(key_, Access::read_only)) {
    std::ranges::copy(removed.table().look(removed.id()).slots, std::back_inserter(moving));
  }
  std::vector<Word> here;
  const View view = shared().look(segment_.id());
  for (std::uint32_t i = 0; i < view.slots.size(); ++i) {
    if (takes_a_place(view.slots[i]) && i != slot_) here.push_back(tid_of(view.slots[i].owner));
  }
  auto live = here.size();
  for (const SeenSlot& slot : moving) {
    if (takes_a_place(slot) && std::ranges::find(here, tid_of(slot.owner)) == here.end()) ++live;
  }
  if (live >= max) throw Failure(fmt::format("not joining: {} live, --max {}", live, max), {}, refused);
}

Remains Membership::leave() {
  left_ = true;
  segment_.stay_attached();
  if (in_plain_) {
    --shared().plain;
    own().leaving = tid_;
    log_.explain("slot {}: leaving = {}: not counted from here on, and not killed", slot(), tid_);
  } else {
    withdraw();
  }
  const View view = shared().look(segment_.id());
  const bool last = view.live == 0 && !segment_.state().removed;
  if (last) segment_.remove(log_);
  return {.live = view.live, .plain = shared().plain, .removed_segment = last};
}

}  // namespace share_data
