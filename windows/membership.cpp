#include "membership.h"

#include <algorithm>
#include <chrono>

#include "bell.h"
#include "failure.h"
#include "stop_request.h"

namespace share_data {
namespace {

using std::chrono::steady_clock;

/// How long a copy waits for one that is alive but does not get on, before it takes over what that one was
/// doing.
constexpr std::chrono::seconds takeover_patience{2};

/// How often it looks meanwhile.
constexpr DWORD look_again_after_ms = 1;

/// The turn of one copy to be admitted under --max, given back at the end of the scope.
///
/// Turns are for progress, not for safety: without them, sixty copies that start at once would all claim a
/// slot, all see too many and all give up. Safety is that each counts after it has claimed: of too many, the
/// last to count sees them all. So a turn can be taken from a copy that is stopped.
class Turn {
 public:
  Turn(std::atomic<std::uint64_t>& word, Identity identity)
      : word_(word), identity_(static_cast<std::uint64_t>(identity)) {
    std::uint64_t waited_for = 0;
    auto deadline = steady_clock::now() + takeover_patience;
    for (;;) {
      std::uint64_t holder = 0;
      if (word_.compare_exchange_strong(holder, identity_)) return;
      if (holder != waited_for) deadline = steady_clock::now() + takeover_patience;
      waited_for = holder;
      const bool may_take_over = !is_alive(Identity{holder}) || steady_clock::now() > deadline;
      if (may_take_over && word_.compare_exchange_strong(holder, identity_)) return;
      if (WaitForSingleObject(StopRequest::event(), look_again_after_ms) == WAIT_OBJECT_0) throw Interrupted{};
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

}  // namespace

Membership::Membership(Table& table, Identity identity, std::optional<std::uint32_t> max)
    : table_(table), identity_(identity) {
  join(max);
  ++table_.plain;
  joined_ = true;
  ring_all(table_, identity_);
}

Membership::~Membership() {
  if (joined_) leave();
}

void Membership::join(std::optional<std::uint32_t> max) {
  std::optional<Turn> turn;
  if (max) {
    turn.emplace(table_.admitting, identity_);
    bury_dead();
    const std::uint32_t live = count_live(table_.look());
    if (live >= *max) throw Refused{live};
  }
  claim_slot();
  bury_dead();
  const std::uint32_t live = count_live(table_.look());
  if (max && live > *max) {  // copies that know no maximum came in between
    release_slot();
    throw Refused{live - 1};
  }
}

void Membership::claim_slot() {
  if (table_.claim(identity_)) return;
  bury_dead();
  if (!table_.claim(identity_)) throw Failure("all 4096 slots of the table are taken");
}

void Membership::release_slot() {
  table_.release(identity_);
  ring_all(table_, identity_);
  table_.settle(identity_);
}

/// Looks at every slot but our own. A newcomer watches only its neighbours, so it looks at everybody once, or
/// its first line could count the dead.
void Membership::bury_dead() {
  std::vector<Identity> dead;
  for (const Slot slot : table_.look()) {
    const Identity identity = identity_of(slot);
    if (!is_available(slot) && identity != identity_ && !is_alive(identity)) dead.push_back(identity);
  }
  if (dead.empty()) return;
  bury(dead);
  // Copies whose slots were overwritten are in no slot, so ring every process that has a bell.
  ring_strays();
}

/// Mark, tell, then settle: whoever finds us dead in between sees from the marks what is left to do.
void Membership::bury(const std::vector<Identity>& dead) {
  for (const Identity identity : dead) table_.bury(identity);
  ring_all(table_, identity_);
  for (const Identity identity : dead) table_.settle(identity);
}

/// Makes sure that we have one slot. True if something had to be done.
bool Membership::keep_place(const Slots& slots) {
  const auto own_slots = std::ranges::count(slots, slot_of(identity_));
  if (own_slots == 1) return false;
  if (own_slots == 0) claim_slot();
  if (own_slots > 1) table_.drop_duplicates(identity_);
  ring_all(table_, identity_);
  return true;
}

Slots Membership::look(Watch& watch) {
  // Each round can reveal the next `reach` dead behind those just buried.
  constexpr auto once_around_the_ring = slot_count / Watch::reach + 1;
  Slots slots = table_.look();
  for (std::size_t round = 0; round < once_around_the_ring; ++round) {
    if (keep_place(slots)) slots = table_.look();
    const auto [dead, stray] = watch.follow(slots, identity_);
    std::ranges::for_each(stray, ring);
    if (dead.empty()) break;
    bury(dead);
    slots = table_.look();
  }
  return slots;
}

Remains Membership::leave() {
  joined_ = false;
  --table_.plain;
  release_slot();
  return {.live = count_live(table_.look()), .plain = table_.plain};
}

}  // namespace share_data
