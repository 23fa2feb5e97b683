#include "membership.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <span>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "failure.h"
#include "stop_request.h"

namespace share_data {

std::int64_t nanoseconds_since_boot() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

bool is_missing(Word tid) { return kill(static_cast<pid_t>(tid), 0) != 0 && errno == ESRCH; }

bool Membership::join(std::optional<std::uint32_t> max) {
  if (!max) claim();
  if (max && !claim_below(*max)) return false;
  ++table().plain;
  has_joined_ = true;
  get_ready();
  return true;
}

Membership::~Membership() {
  try {
    if (!has_left_) leave();
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): the segment cannot be removed, and we end anyway
  }
  segment_.stay_attached();
}

/// The alarm words come first: whoever counts this copy waits for one of its words.
void Membership::get_ready() {
  own().leaver = 0;  // of an earlier copy
  for (Slot::Alarm& alarm : own().alarms) alarm.word = running_word(tid_);
  table().replace(slot_, joining_word(tid_), joined_word(tid_), log_);
  table().notify(log_);
  table().replace(slot_, joined_word(tid_), running_word(tid_), log_);
}

// The copies in removed segments first. A copy has one robust list: if one comes from there and claims a slot here, the
// kernel marks its old slot no more. If it is killed then, the others must be on their way already.
void Membership::claim() {
  for (const Segment& removed : Segment::open_removed(key_, 0)) {
    log_.explain("copies may be in segment {}, which was removed:", removed.id());
    removed.table().notify(log_);
  }
  for (;;) {
    for (std::uint32_t i = 0; i < slot_count; ++i) {
      Slot& slot = table().slots[i];
      if (slot.owner != 0) continue;
      robust_list_.point_at(slot);
      if (!table().replace(i, 0, joining_word(tid_), log_)) continue;
      slot_ = i;
      slot.joined = start_;
      return;
    }
    View view = table().look();
    taken_out_.clear();  // or there is no room at all
    if (!take_out_missing(view, segment_.state().shm_nattch) && view.marked == 0 && view.claimed == slot_count) {
      throw Failure(fmt::format("all {} slots of the table are taken", slot_count));
    }
    table().free_marked(table().look(), log_);
  }
}

/// Claims a slot under --max; false if it is asked to leave first. Each copy looks again after its claim, so the last
/// one to look sees all claims. Of too many, those in the lowest slots stay; the others withdraw and look every 2 ms. A
/// copy that is stopped while it joins takes a place: after a thousand looks, this one gives up.
bool Membership::claim_below(std::uint32_t max) {
  bool claimed = false;
  const auto withdraw = [&] {
    if (std::exchange(claimed, false)) table().replace(slot_, joining_word(tid_), 0, log_);
  };
  std::uint32_t live = 0;
  std::uint32_t joining = 0;  // other copies
  for (int looks = 0; looks < 1000; ++looks) {
    std::uint32_t moving = 0;  // copies that are in a removed segment, and stay there until they have a slot here
    for (const Segment& removed : Segment::open_removed(key_, 0)) {
      removed.table().notify(log_);  // so that they come here
      const View view = removed.table().look();
      moving += view.live + view.joining;
    }
    View view = table().look();
    const shmid_ds state = segment_.state();
    claimed = claimed && view.slots[slot_].owner == joining_word(tid_);  // anybody may write anything there
    const std::uint32_t own_claim = claimed ? 1 : 0;
    if (take_out_missing(view, state.shm_nattch - 1 + own_claim)) continue;
    live = view.live;
    joining = moving + view.joining - std::min(own_claim, view.joining);
    if (is_removed(state)) {  // copies that join in a new one may not have counted us
      withdraw();
      segment_ = Segment::open_or_create(key_, log_);
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
      const auto before = std::ranges::count_if(std::span{view.slots}.first(slot_), is_joining, &SeenSlot::owner);
      if (live + moving + before >= max) withdraw();
      usleep(2000);
    }
  }
  withdraw();
  const std::string and_joining = live < max ? fmt::format(" and {} joining", joining) : "";
  throw Failure(fmt::format("not joining: {} live{}, --max {}", live, and_joining, max), {}, refused);
}

// The last rule: a copy that was slow to free a mark may have freed the mark of a later user of the slot, of whose end
// nobody was notified. Then fewer slots are claimed than at the look before, although `changes` has not moved.
const View& Membership::look() {
  const auto [changes_before, claimed_before] = std::pair{view_.changes, view_.claimed};
  for (view_.earlier.clear();;) {
    view_ = table().look(std::move(view_));
    const shmid_ds state = segment_.state();
    if (is_removed(state) && move()) continue;
    if (own().owner != running_word(tid_) || own().leaver == tid_) {  // anybody may write anything there
      claim();
      get_ready();
      continue;
    }
    if (take_out_missing(view_, state.shm_nattch)) continue;
    if (view_.marked == 0 && view_.changes == changes_before && view_.claimed < claimed_before) table().notify(log_);
    table().free_marked(view_, log_);
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
  const std::uint32_t old_slot = std::exchange(slot_, slot_count);
  must_stay_ = has_joined_ = false;
  (void)join();
  old.table().replace(old_slot, running_word(tid_), 0, log_);
  cool_down(4 * old.table().look().live);  // the others come, too: one line for most of them
  return true;
}

/// If more slots are claimed than processes are attached, a mark was lost, or somebody wrote into the table. Then this
/// marks the slots whose TID no other process here has, as the kernel would have done. True if it has marked something.
bool Membership::take_out_missing(View& view, std::uint64_t attached) {
  if (view.claimed - view.marked <= attached) return false;
  const std::size_t known = view.earlier.size();
  view = table().look(std::move(view));  // copies may have died before the kernel's answer, and others joined after it
  if (view.claimed - view.marked <= attached + view.earlier.size() - known) return false;
  bool found = false;
  for (std::uint32_t i = 0; i < slot_count; ++i) {
    const SeenSlot& slot = view.slots[i];
    const Word tid = tid_of(slot.owner);
    if (tid == 0 || (tid == tid_ ? i == slot_ : !is_missing(tid))) continue;
    if ((tid != tid_ || slot.joined != start_) && !taken_out_.emplace(i, slot).second) continue;
    found = table().replace(i, slot.owner, marked_word, log_) || found;
  }
  return found;
}

Event Membership::leave() {
  has_left_ = true;
  if (has_joined_) {
    --table().plain;
    table().leave(slot_, tid_, log_);
  }
  view_ = table().look();
  Event event{.kind = Event::Kind::left, .live = view_.live, .plain = table().plain, .left = {tid_}};
  if (event.live == 0 && segment_.remove(log_)) event.remark = "last one out, segment removed";
  // After the removal: a copy that has just joined in the removed segment must move.
  if (has_joined_ || !event.remark.empty()) table().notify(log_);
  return event;
}

}  // namespace share_data
