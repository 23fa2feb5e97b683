#include "plan.h"

#include <array>
#include <string_view>

#include <fmt/format.h>

namespace share_data::test {
namespace {

struct Weight {
  Deed deed;
  std::uint32_t weight;
};

constexpr std::array weights{Weight{Deed::start, 22},        Weight{Deed::start_for_a_moment, 5},
                             Weight{Deed::start_limited, 6}, Weight{Deed::terminate, 10},
                             Weight{Deed::interrupt, 4},     Weight{Deed::hang_up, 4},
                             Weight{Deed::kill, 14},         Weight{Deed::stop_or_continue, 16},
                             Weight{Deed::close_reader, 4},  Weight{Deed::ask_status, 5},
                             Weight{Deed::pause, 10}};

constexpr std::array<std::string_view, 13> deed_names{
    "start",         "start for a moment", "start with --max", "terminate",      "interrupt",     "hang up", "kill",
    "stop/continue", "close the reader",   "ask for status",   "remove segment", "write garbage", "pause"};

constexpr std::array<std::string_view, 7> round_names{
    "ordinary", "with removals", "with garbage", "everybody leaves", "everybody is killed", "last out", "limit"};

/// In such a round, one action in so many is of its own kind.
constexpr std::uint32_t one_in = 8;

}  // namespace

Round Plan::next() {
  Round round{.kind = draw_kind(), .number = below(1U << 31U), .actions = {}};
  // One after the other: the order in which a compiler would evaluate arguments is its own.
  const std::uint32_t count = 1 + below(30);
  for (std::uint32_t i = 0; i < count; ++i) round.actions.push_back(draw_action(round.kind));
  return round;
}

Round::Kind Plan::draw_kind() {
  const std::uint32_t dice = below(100);
  if (dice < 50) return Round::Kind::ordinary;
  if (dice < 67) return Round::Kind::with_removals;
  if (dice < 84) return Round::Kind::with_garbage;
  if (dice < 90) return Round::Kind::limit;
  if (dice < 94) return Round::Kind::last_out;
  return dice < 97 ? Round::Kind::everybody_leaves : Round::Kind::everybody_is_killed;
}

Action Plan::draw_action(Round::Kind kind) {
  Action action{.deed = Deed::start, .place = below(static_cast<std::uint32_t>(places_)), .number = 0};
  action.number = below(1U << 31U);
  const bool special = below(one_in) == 0;
  if (special && kind == Round::Kind::with_removals) return {Deed::remove_segment, action.place, action.number};
  if (special && kind == Round::Kind::with_garbage) return {Deed::write_garbage, action.place, action.number};
  std::uint32_t total = 0;
  for (const auto& [deed, weight] : weights) total += weight;
  std::uint32_t dice = below(total);
  for (const auto& [deed, weight] : weights) {
    if (dice < weight) {
      action.deed = deed;
      break;
    }
    dice -= weight;
  }
  return action;
}

std::string described(const Action& action) {
  return fmt::format("{} at {} ({})", deed_names.at(static_cast<std::size_t>(action.deed)), action.place,
                     action.number);
}

std::string described(const Round& round) {
  return fmt::format("round: {}, {} actions", round_names.at(static_cast<std::size_t>(round.kind)),
                     round.actions.size());
}

}  // namespace share_data::test
