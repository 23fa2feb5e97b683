// The quiet points of the soak: what is true there, and whether it is shown.
#include <sys/shm.h>

#include <algorithm>
#include <chrono>
#include <csignal>

#include <fmt/format.h>

#include "kernel_view.h"
#include "soak.h"
#include "waiting.h"

namespace share_data::test {

/// Gets rid of all that would make the truth a matter of time or of opinion.
void Soak::come_to_rest(Round::Kind kind) {
  const bool garbage = kind == Round::Kind::with_garbage;
  if (garbage_.hid_the_segment()) crowd_.segment_was_hidden();
  if (garbage) garbage_.repair();
  for (Member* const member : crowd_.all()) {
    // A copy that was stopped before it had joined is no copy yet; one that was stopped while garbage took its
    // slot away is none until it goes on.
    const bool must_go_on = garbage || !member->joined() || member->timed || crowd_.may_be_anywhere(*member);
    if (member->stopped && must_go_on) crowd_.go_on(*member);
  }
  crowd_.end_those_unheard();
  wait_for_rest(garbage);
  if (kind == Round::Kind::with_removals || garbage) bring_together();
  if (garbage) expect_garbage_goes_away();
  expect_truth();
}

void Soak::wait_for_rest(bool nudge) {
  const bool rests = eventually(
      [&] {
        if (nudge) garbage_.wake_all();
        return crowd_.is_at_rest();
      },
      options_.patience);
  if (!rests) throw Wrong("somebody neither joins nor ends");
}

/// Now, while nobody is stopped who has to get over it.
void Soak::expect_garbage_goes_away() {
  garbage_.uncover();
  const auto is_gone = [&] {
    garbage_.wake_all();
    return garbage_.is_gone(crowd_.running().size());
  };
  if (!eventually(is_gone, options_.patience)) throw Wrong("garbage stays in the slots");
  garbage_.forget();
}

/// After `ipcrm`, one that comes calls all together; that it goes again is a change like any other.
void Soak::bring_together() {
  crowd_.start(options_.places, {});
  wait_for_rest(true);
  crowd_.end(options_.places, SIGTERM);
  wait_for_rest(true);
}

/// The kernel is the witness: so many processes are attached, and each to that segment alone.
bool Soak::truth_is_shown(std::size_t count) {
  garbage_.wake_all();
  crowd_.look();
  if (attached_to(key_) != count) return false;
  const std::vector<int> current{shmget(key_, 0, 0)};
  return std::ranges::all_of(crowd_.running(), [&](Member* member) {
    return shown_by(member->copy) == static_cast<int>(count) && segments_attached_by(member->copy.pid()) == current;
  });
}

void Soak::expect_truth() {
  const std::size_t count = crowd_.running().size() + crowd_.stopped_among_the_others();
  history_.note(fmt::format("quiet: {} run, and {} live here", crowd_.running().size(), count));
  const auto agreed = [&] { return truth_is_shown(count); };
  if (!eventually(agreed, options_.patience)) {
    std::string who;
    for (Member* const member : crowd_.running()) {
      who += fmt::format("\n  {} shows {}, attached to {}", member->name, shown_by(member->copy).value_or(-1),
                         fmt::join(segments_attached_by(member->copy.pid()), " "));
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
  const auto nothing = [&] { return !segment_of(key_) && std::ranges::none_of(segments_, is_there); };
  if (!eventually(nothing, options_.patience)) throw Wrong("all have left, and a segment is still there");
  segments_.clear();
}

}  // namespace share_data::test
