#include "plan.h"

#include <array>

#include <fmt/format.h>

namespace share_data::test {
namespace {

struct Choice {
  const char* name;
  std::uint32_t weight;
};

/// In the order of Deed.
constexpr std::array deeds{Choice{"start", 22},
                           Choice{"start for a moment", 5},
                           Choice{"start with --max", 6},
                           Choice{"terminate", 10},
                           Choice{"interrupt", 4},
                           Choice{"hang up", 4},
                           Choice{"kill", 14},
                           Choice{"stop/continue", 16},
                           Choice{"close the reader", 4},
                           Choice{"ask for status", 5},
                           Choice{"pause", 10},
                           Choice{"remove segment", 0},
                           Choice{"write garbage", 0}};

/// In the order of Round::Kind.
constexpr std::array kinds{Choice{"ordinary", 50},        Choice{"with removals", 17},      Choice{"with garbage", 17},
                           Choice{"everybody leaves", 3}, Choice{"everybody is killed", 3}, Choice{"limit", 10}};

/// In rounds with removals or garbage, one action in so many is one.
constexpr std::uint32_t one_in = 8;

constexpr std::size_t any_number = 1U << 31U;

}  // namespace

/// An index into the table.
template <typename Table>
std::size_t Plan::draw(const Table& table) {
  std::uint32_t total = 0;
  for (const Choice& choice : table) total += choice.weight;
  std::uint32_t dice = below(total);
  std::size_t i = 0;
  for (; dice >= table[i].weight; ++i) dice -= table[i].weight;
  return i;
}

Round Plan::next() {
  // One after the other: the order in which a compiler would evaluate arguments is its own.
  Round round{.kind = static_cast<Round::Kind>(draw(kinds)), .number = 0, .actions = {}};
  round.number = below(any_number);
  const std::uint32_t count = 1 + below(30);
  for (std::uint32_t i = 0; i < count; ++i) round.actions.push_back(draw_action(round.kind));
  return round;
}

Action Plan::draw_action(Round::Kind kind) {
  Action action{.deed = static_cast<Deed>(draw(deeds)), .place = 0, .number = 0};
  action.place = below(places_);
  action.number = below(any_number);
  const bool special = below(one_in) == 0;
  if (special && kind == Round::Kind::with_removals) action.deed = Deed::remove_segment;
  if (special && kind == Round::Kind::with_garbage) action.deed = Deed::write_garbage;
  return action;
}

std::string described(const Action& action) {
  return fmt::format("{} at {} ({})", deeds.at(static_cast<std::size_t>(action.deed)).name, action.place,
                     action.number);
}

std::string described(const Round& round) {
  return fmt::format("round: {}, {} actions", kinds.at(static_cast<std::size_t>(round.kind)).name,
                     round.actions.size());
}

}  // namespace share_data::test
