#include "membership.h"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <ctime>
#include <string>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "failure.h"
#include "stop_request.h"

namespace share_data {

using namespace std::chrono_literals;

std::int64_t nanoseconds_since_boot() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

namespace {

/// Copies that move from removed segments. Count them before those in the current one: a copy that moves has a slot
/// there until it has one here, and so is not missed.
std::uint32_t count_in_removed(key_t key) {
  std::uint32_t count = 0;
  for (const Segment& removed : Segment::open_removed(key, Access::read_only)) {
    const View view = removed.table().look();
    count += view.live + view.joining;
  }
  return count;
}

/// Copies that are joining in slots before this one.
std::uint32_t count_joining_before(const View& view, std::uint32_t slot) {
  std::uint32_t count = 0;
  for (std::uint32_t i = 0; i < slot; ++i) count += is_joining(view.slots[i].owner) ? 1U : 0U;
  return count;
}

}  // namespace

bool is_missing(Word tid) { return tid == 0 || (kill(static_cast<pid_t>(tid), 0) != 0 && errno == ESRCH); }

Membership::Membership(key_t key, const Log& log)
    : log_(log),
      key_(key),
      tid_(static_cast<Word>(getpid())),
      robust_list_(log),
      segment_(Segment::open_or_create(key, log)) {}

bool Membership::join(std::optional<std::uint32_t> max) {
  gather_removed();
  if (!max) claim();
  if (max && !claim_below(*max)) return false;
  ++shared().plain;
  has_joined_ = true;
  get_ready();
  return true;
}

Membership::~Membership() {
  try {
    if (!has_left_) leave();
  } catch (const Failure&) {  // NOLINT(bugprone-empty-catch): the segment cannot be removed, and we end anyway
  }
  segment_.stay_attached();
}

/// The alarm words come first: whoever counts this copy waits for one of its words.
void Membership::get_ready() {
  own().leaver = 0;  // of an earlier copy
  for (Slot::Alarm& alarm : own().alarms) alarm.word = running_word(tid_);
  shared().replace(slot_, joining_word(tid_), joined_word(tid_), log_);
  shared().notify(log_);
  shared().replace(slot_, joined_word(tid_), running_word(tid_), log_);
}

// Before the claim: a copy has one robust list. When a copy comes here from a removed segment and claims a slot, the
// kernel marks its old slot no more. If it is killed then, the copies in the old segment must be on their way already.
void Membership::gather_removed() {
  if (shared().gathered != 0) return;
  for (const Segment& removed : Segment::open_removed(key_, Access::read_write)) {
    log_.explain("copies may be in segment {}, which was removed:", removed.id());
    removed.table().notify(log_);
  }
  shared().gathered = 1;
}

void Membership::claim() {
  for (;;) {
    for (std::uint32_t i = 0; i < slot_count; ++i) {
      Slot& slot = shared().slots[i];
      if (slot.owner != 0) continue;
      robust_list_.point_at(slot);
      if (!shared().replace(i, 0, joining_word(tid_), log_)) continue;
      slot_ = i;
      slot.joined = start_;
      return;
    }
    View view = shared().look();
    if (!take_out_missing(view, segment_.state().shm_nattch) && view.marked == 0 && view.claimed == slot_count) {
      throw Failure("all slots of the table are taken",
                    fmt::format("this program counts {} copies at most", slot_count));
    }
    shared().free_marked(shared().look(), log_);
  }
}

/// Claims a slot under --max; false if it is asked to leave first. Each copy looks again after its claim; so of too
/// many, the last one to look sees them all. Then those in the lowest slots keep their claims, and the others withdraw
/// theirs and look every 2 ms. A copy that is stopped while it joins takes a place: after a thousand looks, about 2 s,
/// this one gives up.
bool Membership::claim_below(std::uint32_t max) {
  bool checked = false;  // whether those that are missing were taken out
  bool claimed = false;
  const auto withdraw = [&] {
    if (std::exchange(claimed, false)) shared().replace(slot_, joining_word(tid_), 0, log_);
  };
  std::uint32_t live = 0;
  std::uint32_t joining = 0;  // other copies
  for (int looks = 0; looks < 1000; ++looks) {
    const std::uint32_t moving = count_in_removed(key_);
    View view = shared().look();
    const shmid_ds state = segment_.state();
    claimed = claimed && view.slots[slot_].owner == joining_word(tid_);  // anybody may write anything there
    // We are attached, and have no slot yet.
    if (!std::exchange(checked, true) && take_out_missing(view, state.shm_nattch - 1)) continue;
    live = view.live;
    joining = moving + view.joining - (claimed ? 1U : 0U);
    if (is_removed(state)) {  // copies that join in a new one may not have counted us
      withdraw();
      segment_ = Segment::open_or_create(key_, log_);
      gather_removed();
      checked = false;
    } else if (live >= max) {
      break;
    } else if (live + joining < max) {
      if (claimed) return true;
      claim();
      claimed = true;
    } else if (stop_request::made()) {
      withdraw();
      return false;
    } else {
      if (live + moving + count_joining_before(view, slot_) >= max) withdraw();
      std::this_thread::sleep_for(2ms);
    }
  }
  withdraw();
  const std::string and_joining = live < max ? fmt::format(" and {} joining", joining) : "";
  throw Failure(fmt::format("not joining: {} live{}, --max {}", live, and_joining, max), {}, refused);
}

// The last rule is for this case: copy E has ended and its mark is freed, but nobody was notified of E. It happens if
// a copy that was slow to free an earlier mark of this slot frees the mark of E instead. Then fewer slots are claimed
// than at the look before, although `changes` has not moved.
const View& Membership::look() {
  const auto [changes_before, claimed_before] = std::pair{view_.changes, view_.claimed};
  for (view_.changed.clear();;) {
    view_ = shared().look(std::move(view_));
    view_.segment = segment_.id();
    const shmid_ds state = segment_.state();
    if (is_removed(state) && move()) continue;
    if (own().owner != running_word(tid_) || own().leaver == tid_) {  // anybody may write anything there
      claim();
      get_ready();
      continue;
    }
    if (take_out_missing(view_, state.shm_nattch)) continue;
    if (view_.marked == 0 && view_.changes == changes_before && view_.claimed < claimed_before) shared().notify(log_);
    shared().free_marked(view_, log_);
    return view_;
  }
}

/// From a removed segment to the one that has the key now. If none can be had, it stays: true if it has moved. The next
/// look tries again.
bool Membership::move() {
  if (!must_stay_) log_.note("segment {} was removed; joining again", segment_.id());
  std::optional<Segment> next;
  try {
    next = Segment::open_or_create(key_, log_);
  } catch (const Failure& failure) {
    if (!std::exchange(must_stay_, true)) {
      log_.note("no new segment can be had: {}; counting on in the removed one", failure.what());
    }
    return false;
  }
  // The old segment stays attached until the robust list no longer points there.
  const Segment old = std::exchange(segment_, std::move(*next));
  const std::uint32_t old_slot = slot_;
  must_stay_ = has_joined_ = false;
  (void)join();
  old.table().replace(old_slot, running_word(tid_), 0, log_);
  cool_down(4 * old.table().look().live);  // the others come, too: one line for most of them
  return true;
}

/// If more slots are claimed than processes are attached, the mark of a copy that died was lost, or somebody wrote into
/// the table. Then this marks what can be no other copy, as the kernel would have done. True if it has marked
/// something.
bool Membership::take_out_missing(View& view, std::uint64_t attached) {
  const auto claims_too_much = [&] { return view.claimed - view.marked > attached; };
  if (!claims_too_much()) return false;
  view = shared().look(std::move(view));  // a copy may have died between the first look and the kernel's answer
  if (!claims_too_much()) return false;
  bool found = false;
  for (std::uint32_t i = 0; i < slot_count; ++i) {
    const Word owner = view.slots[i].owner;
    const bool is_own_slot = has_joined_ && i == slot_;
    if (is_own_slot || tid_of(owner) == 0 || (tid_of(owner) != tid_ && !is_missing(tid_of(owner)))) continue;
    shared().replace(i, owner, marked_word, log_);
    found = true;
  }
  return found;
}

Event Membership::leave() {
  has_left_ = true;
  if (has_joined_) {
    --shared().plain;
    shared().leave(slot_, tid_, log_);
  }
  Event event{.kind = Event::Kind::left, .live = shared().look().live, .plain = shared().plain, .left = {tid_}};
  if (event.live == 0 && segment_.remove(log_)) event.remark = "last one out, segment removed";
  // After the removal: a copy that has just joined in the removed segment must move.
  if (has_joined_) shared().notify(log_);
  return event;
}

}  // namespace share_data
