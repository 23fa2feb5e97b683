#include "soak.h"

#include <sys/shm.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <random>
#include <thread>

#include <fmt/format.h>

#include "kernel_view.h"
#include "waiting.h"

namespace share_data::test {

Soak::Soak(const SoakOptions& options, History& history)
    : options_(options),
      key_(static_cast<key_t>(0x5e00'0000U | static_cast<std::uint32_t>(getpid()))),
      history_(history),
      crowd_(key_, options.through, history),
      garbage_(key_) {
  remove_segment(key_);  // of an earlier process that had our pid
}

Soak::~Soak() { remove_segment(key_); }

void Soak::run(const Round& round) {
  history_.note(described(round));
  for (const Action& action : round.actions) act(action);
  come_to_rest(round.kind);
  switch (round.kind) {
    case Round::Kind::everybody_leaves:
      return everybody_leaves();
    case Round::Kind::everybody_is_killed:
      return everybody_is_killed();
    case Round::Kind::last_out:
      return leave_while_others_come(round.number);
    case Round::Kind::limit:
      return start_many_limited(round.number);
    default:
      return;
  }
}

void Soak::act(const Action& action) {
  switch (action.deed) {
    case Deed::ask_status:
      return crowd_.ask(action.number % 2 == 0);
    case Deed::remove_segment:
      return remove_the_segment();
    case Deed::write_garbage:
      return write_garbage(action.number);
    case Deed::pause:  // of no importance for what is true: it lets things meet in other ways
      return std::this_thread::sleep_for(std::chrono::microseconds{action.number % 20'000});
    default:
      return crowd_.act(action);
  }
}

void Soak::remove_the_segment() {
  const int id = shmget(key_, 0, 0);
  if (!remove_segment(key_)) return;
  history_.note(fmt::format("ipcrm -m {}", id));
  segments_.insert(id);
  crowd_.segment_was_removed();
}

void Soak::write_garbage(std::uint32_t number) {
  const std::string what = garbage_.write(number, crowd_.pids());
  if (!what.empty()) history_.note("garbage: " + what);
}

void Soak::everybody_leaves() {
  // One that is not killed, or all would be gone already and nobody could clear away what they left.
  crowd_.start(options_.places, {});
  wait_for_rest(false);
  crowd_.end_all(SIGTERM);
  wait_for_rest(false);
  expect_nothing_is_left();
}

void Soak::everybody_is_killed() {
  crowd_.end_all(SIGKILL);
  wait_for_rest(false);
  Member& fresh = crowd_.start(options_.places, {});
  wait_for_rest(false);
  const std::string first = fresh.copy.lines().front();
  if (live_on(first) != 1) throw Wrong("after all were killed, a fresh copy begins with: " + first);
  everybody_leaves();
}

void Soak::leave_while_others_come(std::uint32_t number) {
  constexpr std::size_t times = 20;
  std::mt19937 random{number};
  crowd_.end_all(SIGTERM);
  crowd_.start(options_.places, {});
  wait_for_rest(false);
  for (std::size_t i = 1; i <= times; ++i) {
    crowd_.start(options_.places + i, {});
    std::this_thread::sleep_for(std::chrono::microseconds{random() % 4000});
    crowd_.end(options_.places + i - 1, random() % 8 == 0 ? SIGKILL : SIGTERM);
    wait_for_rest(false);
    expect_truth();
  }
  crowd_.end(options_.places + times, SIGTERM);
  wait_for_rest(false);
  expect_nothing_is_left();
}

void Soak::start_many_limited(std::uint32_t number) {
  const std::size_t live = crowd_.all().size();
  const std::size_t starters = 2 + number % 12;
  const std::size_t max = 1 + number / 16 % (options_.places + 4);
  for (std::size_t i = 0; i < starters; ++i) {
    crowd_.start(options_.places + i, {"--max", std::to_string(max)}).limited = true;
  }
  if (number / 1024 % 2 == 0) stop_for_a_while(options_.places, std::chrono::microseconds{number / 2048 % 8192});
  wait_for_rest(false);
  const std::size_t may = max > live ? std::min(max - live, starters) : 0;
  const std::size_t joined = crowd_.all().size() - live;
  if (joined != may) {
    throw Wrong(fmt::format("{} were live, {} started with --max {}, {} joined", live, starters, max, joined));
  }
  expect_truth();
  for (std::size_t i = 0; i < starters; ++i) {
    if (crowd_.at(options_.places + i) != nullptr) crowd_.end(options_.places + i, SIGTERM);
  }
  wait_for_rest(false);
  expect_truth();
}

/// Stops a starter at some moment of its start, until all the others are through theirs.
void Soak::stop_for_a_while(std::size_t place, std::chrono::microseconds moment) {
  std::this_thread::sleep_for(moment);
  if (Member* const starter = crowd_.at(place)) crowd_.stop(*starter);
  wait_for_rest(false);
  if (Member* const starter = crowd_.at(place)) crowd_.go_on(*starter);  // else it was refused before it stopped
}

void Soak::finish() {
  history_.note("the end");
  come_to_rest(Round::Kind::ordinary);
  everybody_leaves();
}

}  // namespace share_data::test
