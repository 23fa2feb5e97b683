#include "membership.h"

#include <fmt/format.h>

#include <chrono>

#include "failure.h"
#include "stop_request.h"
#include "win32.h"

namespace share_data {

Membership::Membership(Table& table, const Log& log)
    : log_(log), table_(table), identity_(own_identity()), watch_(table, log) {}

Membership::~Membership() {
  if (!left_) leave();
}

void Membership::join(std::optional<std::uint32_t> max) {
  let_everybody_watch(log_);
  max ? be_admitted(*max) : claim(Mark::joining);
  ++table_.plain;
  in_plain_ = true;
  get_ready();
}

/// Claims a slot under --max. Another candidate, whose turn was taken from it, may join or give way: so we give way and
/// try again, until it is clear that it is stopped.
void Membership::be_admitted(std::uint32_t max) {
  for (int attempts_left = 10;; --attempts_left) {
    take_turn();
    claim(Mark::candidate);
    if (has_place(max, attempts_left == 0)) break;
    withdraw();
    (void)Generation{table_}.wait({}, 200);
  }
  table_.replace(slot(), word_of(identity_, Mark::candidate), word_of(identity_, Mark::joining), log_);
  give_turn_back();
}

void Membership::give_turn_back() {
  Word turn = word_of(identity_);
  table_.admitting.compare_exchange_strong(turn, 0);
}

void Membership::get_ready() {
  tell(table_, log_);
  table_.replace(slot(), word_of(identity_, Mark::joining), word_of(identity_), log_);
}

/// Gives up a slot that is not counted yet.
void Membership::withdraw() {
  if (slot_) table_.replace(slot(), word_of(identity_, Mark::candidate), 0, log_);
  slot_.reset();
  give_turn_back();
  tell(table_, log_);  // others wait for the turn
}

void Membership::claim(Mark mark) {
  slot_ = table_.claim(word_of(identity_, mark), log_);
  if (slot_) return;
  for (const Word word : table_.look().slots) {  // make room: some may be dead
    if (word != 0 && !is_alive(identity_of(word))) table_.take_out(identity_of(word), log_);
  }
  tell(table_, log_);
  slot_ = table_.claim(word_of(identity_, mark), log_);
  if (slot_) return;
  throw Failure("all slots of the table are taken", fmt::format("this program counts {} copies at most", slot_count));
}

View Membership::look() {
  for (;;) {
    watch_.begin_look();
    View view = table_.look();
    if (repair_own_slot(view)) continue;
    const std::vector<Identity> ended = watch_.follow(view, slot());
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
    const bool is_second = identity_of(word) == identity_ && i != slot();
    if (is_second && mark_of(word) != Mark::killed) repaired |= table_.replace(i, word, 0, log_);
  }
  if (table_.slots[slot()] != word_of(identity_)) {
    claim(Mark::joining);
    repaired = true;
  }
  if (repaired) get_ready();
  return repaired;
}

/// Waits until it is our turn to be admitted. Turns are for progress, not for safety: without them, sixty copies that
/// start at once would all claim a slot, all see too many and all give up. Safety is that each counts after it has
/// claimed: of too many, the last one to count sees them all. So it does no harm to take the turn from a copy that has
/// ended, or that has had it for 2 s, because it is stopped.
void Membership::take_turn() {
  using std::chrono::steady_clock;
  Word waited_for = 0;
  auto deadline = steady_clock::now();
  while (!StopRequest::made()) {
    const Generation generation{table_};  // a copy that gives its turn back tells everybody
    Word holder = 0;
    if (table_.admitting.compare_exchange_strong(holder, word_of(identity_))) return;
    const OpenedProcess process = open_process(identity_of(holder));
    const auto now = steady_clock::now();
    if (holder != waited_for) deadline = now + std::chrono::seconds{2};
    waited_for = holder;
    const bool may_take_it = process.dead || now >= deadline;
    if (may_take_it && table_.admitting.compare_exchange_strong(holder, word_of(identity_))) return;
    if (may_take_it) continue;
    const auto patience = std::chrono::ceil<std::chrono::milliseconds>(deadline - now);
    (void)generation.wait({process.handle.get()}, static_cast<DWORD>(patience.count()));
  }
}

/// False if the live copies and the other candidates together are too many. Throws Failure if the live ones alone are,
/// or if `candidates_count` and both together are.
bool Membership::has_place(std::uint32_t max, bool candidates_count) const {
  std::uint32_t live = 0;
  std::uint32_t candidates = 0;
  const View view = table_.look();
  for (std::uint32_t i = 0; i < slot_count; ++i) {
    const Word word = view.slots[i];
    const bool matters = is_counted(word) || mark_of(word) == Mark::candidate;
    if (i == slot() || !matters || !is_alive(identity_of(word))) continue;
    ++(is_counted(word) ? live : candidates);
  }
  const bool has_place = live + candidates < max;
  if (live >= max || (!has_place && candidates_count)) {
    throw Failure(fmt::format("not joining: {} live, --max {}", live, max), {}, refused);
  }
  return has_place;
}

Event Membership::leave() {
  left_ = true;
  if (in_plain_) {
    --table_.plain;
    table_.replace(slot(), word_of(identity_), word_of(identity_, Mark::leaving), log_);
  } else {
    withdraw();
  }
  Event event{.kind = Event::Kind::left, .live = table_.look().live, .plain = table_.plain, .left = {pid()}};
  if (event.live == 0) event.remark = "last one out, the memory goes too";
  return event;
}

}  // namespace share_data
