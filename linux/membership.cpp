#include "membership.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include "failure.h"

namespace share_data {
namespace {

using std::chrono::steady_clock;

/// How long a copy waits for one that is alive but does not get on, before it takes over what that one was
/// doing.
constexpr std::chrono::seconds takeover_patience{2};
constexpr std::chrono::milliseconds look_again_after{1};

/// The turn of one copy to be admitted under --max, given back at the end of the scope.
///
/// Turns are for progress, not for safety: without them, sixty copies that start at once would all claim a
/// slot, all see too many and all give up. Safety is that each counts after it has claimed: of too many, the
/// last to count sees them all. So a turn can be taken from a copy that is stopped.
class Turn {
 public:
  Turn(std::atomic<std::uint64_t>& word, Identity identity, const StopSignals& stop)
      : word_(word), identity_(static_cast<std::uint64_t>(identity)) {
    std::uint64_t waited_for = 0;
    auto deadline = steady_clock::now() + takeover_patience;
    for (;;) {
      std::uint64_t holder = 0;
      if (word_.compare_exchange_strong(holder, identity_)) return;  // else `holder` is now who has the turn
      if (holder != waited_for) deadline = steady_clock::now() + takeover_patience;
      waited_for = holder;
      const bool may_take_over = !is_alive(Identity{holder}) || steady_clock::now() > deadline;
      if (may_take_over && word_.compare_exchange_strong(holder, identity_)) return;
      if (stop.raised_within(look_again_after)) throw Interrupted{};
    }
  }
  ~Turn() {
    std::uint64_t expected = identity_;
    word_.compare_exchange_strong(expected, 0);
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  Turn(Turn&&) = delete;
  Turn& operator=(Turn&&) = delete;

 private:
  std::atomic<std::uint64_t>& word_;
  std::uint64_t identity_;
};

void append_occupied(std::vector<Slot>& all, const Slots& slots) {
  std::ranges::copy_if(slots, std::back_inserter(all), is_occupied);
}

}  // namespace

Membership::Membership(const Applicant& applicant)
    : applicant_(applicant), segment_(Segment::open_or_create(applicant.key)) {}

// Delegates, so that the object counts as constructed and its destructor cleans up if the body throws.
Membership::Membership(const Applicant& applicant, const StopSignals& stop) : Membership(applicant) {
  while (!enter(stop)) segment_ = Segment::open_or_create(applicant_.key);
  ++table().plain;
  counted_ = true;
  table().announce();
}

Membership::~Membership() {
  if (leaving_) return;
  try {
    leave();
  } catch (const Failure&) {  // NOLINT(bugprone-empty-catch): somebody removed the segment under us: gone is gone
  }
}

/// Steps 2 to 4 of joining. False where the segment has been removed meanwhile.
bool Membership::enter(const StopSignals& stop) {
  std::optional<Turn> turn;
  if (applicant_.max) {
    turn.emplace(table().admitting, identity(), stop);
    refuse_if_full();  // so that nobody sees a slot come and go
  }
  claim_slot();
  wait_for_remover(stop);
  const SegmentState state = segment_.state();
  if (state.removed) {
    table().release(identity());
    return false;
  }
  gather_removed();
  refuse_if_full();  // to be exact: from here on, whoever counts sees us
  // A process that is dead is no longer attached. So as long as no more slots are occupied than processes
  // attached, there is hardly anybody to bury, and we need not look at each.
  if (table().occupied() > state.attached) table().bury_dead();
  return true;
}

void Membership::claim_slot() {
  if (table().claim(identity())) return;
  table().bury_dead();
  if (!table().claim(identity())) {
    throw Failure("all slots of the table are taken", "this program counts 4096 copies at most");
  }
}

void Membership::wait_for_remover(const StopSignals& stop) {
  const auto deadline = steady_clock::now() + takeover_patience;
  for (;;) {
    std::uint64_t remover = table().retiring;
    if (remover == 0 || segment_.state().removed) return;
    const bool patience_is_over = steady_clock::now() > deadline;
    if (patience_is_over || !is_alive(Identity{remover})) {
      // Should the remover go on after all, it will find that its word is gone and call everybody together
      // again.
      table().retiring.compare_exchange_strong(remover, 0);
      if (patience_is_over) return;
    } else if (stop.raised_within(look_again_after)) {
      throw Interrupted{};
    }
  }
}

/// Calls together those who live in segments of our key that have been removed: each wakes, sees that its
/// segment is removed, and joins again by key. Everybody who joins makes sure that it has been done: the copy
/// that created the segment may have been killed before it could.
void Membership::gather_removed() {
  if (table().gathered != 0) return;
  for (const Segment& removed : Segment::open_removed(applicant_.key, Access::read_write)) {
    removed.table().announce();
  }
  table().gathered = 1;
}

void Membership::refuse_if_full() const {
  if (!applicant_.max) return;
  if (const auto live = others_live(); live >= *applicant_.max) throw Refused(live);
}

std::uint32_t Membership::others_live() const {
  table().bury_dead();
  std::vector<Slot> all;
  append_occupied(all, table().look());
  for (const Segment& removed : Segment::open_removed(applicant_.key, Access::read_write)) {
    removed.table().bury_dead();
    append_occupied(all, removed.table().look());
  }
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  std::erase(all, slot_of(identity()));
  return static_cast<std::uint32_t>(all.size());
}

Remains Membership::leave() {
  leaving_ = true;
  if (counted_) --table().plain;
  const bool was_seen = table().release(identity());
  if (table().occupied() >= segment_.state().attached) table().bury_dead();
  if (was_seen) table().announce();
  const bool removed = retire();
  return {.live = removed ? 0 : table().occupied(), .plain = table().plain, .removed_segment = removed};
}

/// Removes the segment unless somebody alive is left, who will do it in turn. True if it did.
bool Membership::retire() {
  const auto deadline = steady_clock::now() + takeover_patience;
  const auto self = static_cast<std::uint64_t>(identity());
  while (!table().anybody_alive() && !segment_.state().removed) {
    std::uint64_t remover = 0;
    if (table().retiring.compare_exchange_strong(remover, self)) {
      std::uint64_t expected = self;
      if (table().anybody_alive()) {  // somebody came, and may be waiting for us
        table().retiring.compare_exchange_strong(expected, 0);
        return false;
      }
      segment_.remove();
      // Somebody lost patience with us and joined: what we have just removed is where they live.
      if (table().retiring != self) table().announce();
      return true;
    }
    // Another one is removing it. It may have looked before we freed our slot and leave it to us after all.
    if (!is_alive(Identity{remover}) || steady_clock::now() > deadline) {
      table().retiring.compare_exchange_strong(remover, 0);
    } else {
      std::this_thread::sleep_for(look_again_after);
    }
  }
  return false;
}

bool Membership::keep_place(const Slots& slots) {
  const auto ours_in = [this](const Slots& some) { return std::ranges::count(some, slot_of(identity())); };
  if (leaving_ || ours_in(slots) == 1) return false;
  if (ours_in(slots) > 1) {
    table().drop_duplicates(identity());
  } else {
    table().distrust_used();
    if (ours_in(table().look()) == 0) claim_slot();
    if (leaving_) table().release(identity());  // the copy left while we claimed
  }
  table().announce();
  return true;
}

}  // namespace share_data
