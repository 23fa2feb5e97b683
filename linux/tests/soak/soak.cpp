#include "soak.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernel_view.h"

namespace share_data::test {

Soak::Soak(const SoakOptions& options, History& history)
    : options_(options), key_(own_key()), history_(history), crowd_(key_, options.through, history), vandal_(key_) {}

Soak::~Soak() { remove_segment(key_); }

void Soak::run(const Round& round) {
  history_.note(described(round));
  for (const Action& action : round.actions) act(action);
  come_to_rest(round.kind);
  if (round.kind == Round::Kind::everybody_leaves) everybody_leaves();
  if (round.kind == Round::Kind::everybody_is_killed) everybody_is_killed();
  if (round.kind == Round::Kind::limit) start_many_limited(round.number);
}

void Soak::finish() {
  history_.note("the end");
  come_to_rest(Round::Kind::ordinary);
  everybody_leaves();
}

void Soak::act(const Action& action) {
  if (action.deed == Deed::ask_status) return crowd_.ask(action.number % 2 == 0);
  if (action.deed == Deed::remove_segment) return remove_the_segment();
  if (action.deed == Deed::write_garbage) return write_garbage(action.number);
  if (action.deed != Deed::pause) return crowd_.act(action);
  // Of no importance for what is true: it lets things meet in other ways.
  std::this_thread::sleep_for(std::chrono::microseconds{action.number % 20'000});
}

void Soak::remove_the_segment() {
  const int id = shmget(key_, 0, 0);
  if (!remove_segment(key_)) return;
  history_.note(fmt::format("ipcrm -m {}", id));
  segments_.insert(id);
  crowd_.segment_was_removed();
}

void Soak::write_garbage(std::uint32_t number) {
  std::vector<pid_t> copies;
  for (const Member* const member : crowd_.running()) copies.push_back(member->copy.pid());
  const std::string what = vandal_.write(number, copies);
  if (!what.empty()) history_.note("garbage: " + what);
}

/// Gets rid of all that would make the truth a matter of time or of opinion.
void Soak::come_to_rest(Round::Kind kind) {
  const bool garbage = kind == Round::Kind::with_garbage;
  if (vandal_.hid_the_segment()) crowd_.segment_was_hidden();
  vandal_.repair();
  for (Member* const member : crowd_.all()) {
    // A copy that was stopped before it had joined is no copy yet; one that was stopped while garbage took its
    // slot away is none until it goes on; and of one that was stopped while it moved, nobody can tell where it is.
    const bool must_go_on = garbage || !member->joined() || member->timed || !member->sure;
    if (member->stopped && must_go_on) crowd_.go_on(*member);
    if (member->unheard) crowd_.end(*member, SIGTERM);
  }
  wait_for_rest();
  if (kind == Round::Kind::with_removals || garbage) bring_together();
  if (garbage) expect_garbage_goes_away();
  expect_truth();
}

void Soak::wait_until(const std::function<bool()>& condition, const char* else_wrong) const {
  const auto holds = [&] {
    vandal_.wake_all();
    return condition();
  };
  if (!eventually(holds, std::chrono::seconds{options_.patience_seconds})) throw Wrong(else_wrong);
}

void Soak::wait_for_rest() {
  wait_until([&] { return crowd_.is_at_rest(); }, "somebody neither joins nor ends");
}

/// After `ipcrm`, one that comes calls all together; that it goes again is a change like any other.
void Soak::bring_together() {
  Member& caller = crowd_.start(options_.places, {});
  wait_for_rest();
  crowd_.end(caller, SIGTERM);
  wait_for_rest();
}

/// Now, while nobody is stopped who has to get over it.
void Soak::expect_garbage_goes_away() {
  wait_until([&] { return vandal_.is_marked(crowd_.running().size()); }, "garbage stays in the slots");
  vandal_.forget();
}

/// The kernel is the witness: so many processes are attached, and each to that segment alone.
bool Soak::truth_is_shown(std::size_t count) {
  crowd_.look();
  if (attached_to(key_) != count) return false;
  const int current = shmget(key_, 0, 0);
  return std::ranges::all_of(crowd_.running(), [&](Member* member) {
    const auto attachments = attachments_of(member->copy.pid());
    return member->copy.shown() == static_cast<int>(count) && attachments.size() == 1 &&
           attachments.begin()->second == current;
  });
}

void Soak::expect_truth() {
  const std::size_t count = crowd_.running().size() + crowd_.stopped_among_the_others();
  history_.note(fmt::format("quiet: {} run, and {} live here", crowd_.running().size(), count));
  if (!eventually([&] { return truth_is_shown(count); }, std::chrono::seconds{options_.patience_seconds})) {
    std::string who;
    for (Member* const member : crowd_.running()) {
      who += fmt::format("\n  {} shows {}, attached by address: {}", member->name, member->copy.shown().value_or(-1),
                         attachments_of(member->copy.pid()));
    }
    throw Wrong(
        fmt::format("{} are live, {} attached to segment {}:{}", count, attached_to(key_), shmget(key_, 0, 0), who));
  }
  crowd_.all_are_together();
  if (const int id = shmget(key_, 0, 0); id >= 0) segments_.insert(id);
  expect_status_tells(crowd_.all().size());
}

/// Unlike a running copy, --status looks into removed segments too, where stopped copies may still live.
void Soak::expect_status_tells(std::size_t count) {
  const Answer text = crowd_.answer(false);
  const Answer json = crowd_.answer(true);
  const bool right = text.exit_code == 0 && text.output.starts_with(fmt::format("{} live\n", count)) &&
                     json.exit_code == 0 && json.output.starts_with(fmt::format("{{\"live\":{},", count));
  if (!right) {
    throw Wrong(
        fmt::format("{} are live, --status says:\n{}{}{}{}", count, text.output, text.notes, json.output, json.notes));
  }
}

void Soak::expect_nothing_is_left() {
  const auto is_there = [](int id) {
    shmid_ds info{};
    return shmctl(id, IPC_STAT, &info) == 0;
  };
  // Whoever is through with it may still be on the way out.
  wait_until([&] { return !segment_of(key_) && std::ranges::none_of(segments_, is_there); },
             "all have left, and a segment is still there");
  segments_.clear();
}

void Soak::everybody_leaves() {
  // One that is not killed, or all would be gone already and nobody could clear away what they left.
  crowd_.start(options_.places, {});
  wait_for_rest();
  crowd_.end_all(SIGTERM);
  wait_for_rest();
  expect_nothing_is_left();
}

void Soak::everybody_is_killed() {
  crowd_.end_all(SIGKILL);
  wait_for_rest();
  Member& fresh = crowd_.start(options_.places, {});
  wait_for_rest();
  const std::string first = fresh.copy.lines().front();
  if (live_on(first) != 1) throw Wrong("after all were killed, a fresh copy begins with: " + first);
  everybody_leaves();
}

void Soak::start_many_limited(std::uint32_t number) {
  const std::size_t live = crowd_.all().size();
  const std::size_t starters = 2 + number % 12;
  const std::size_t max = 1 + number / 16 % (options_.places + 4);
  for (std::size_t i = 0; i < starters; ++i) {
    crowd_.start(options_.places + i, {"--max", std::to_string(max)}).limited = true;
  }
  if (number / 1024 % 2 == 0) stop_for_a_while(options_.places, std::chrono::microseconds{number / 2048 % 8192});
  wait_for_rest();
  const std::size_t may = max > live ? std::min(max - live, starters) : 0;
  const std::size_t joined = crowd_.all().size() - live;
  if (joined != may) {
    throw Wrong(fmt::format("{} were live, {} started with --max {}, {} joined", live, starters, max, joined));
  }
  expect_truth();
  for (Member* const member : crowd_.all()) {
    if (member->place >= options_.places) crowd_.end(*member, SIGTERM);
  }
  wait_for_rest();
  expect_truth();
}

/// Stops a starter at some moment of its start, until all the others are through theirs.
void Soak::stop_for_a_while(std::size_t place, std::chrono::microseconds moment) {
  std::this_thread::sleep_for(moment);
  if (Member* const starter = crowd_.at(place)) crowd_.stop(*starter);
  wait_for_rest();
  if (Member* const starter = crowd_.at(place)) crowd_.go_on(*starter);  // else it was refused before it stopped
}

}  // namespace share_data::test
