// What is done to the copies: drawn from a seed and nothing else, so that it can be repeated.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace share_data::test {

/// What can be done to the copy at one place, or to the segment. If there is no copy at the place, most of them start
/// one there: so no draw depends on how the copies have fared.
enum class Deed {
  start,
  start_brief,
  start_limited,
  leave,
  interrupt,
  hang_up,
  kill,
  stop_or_go_on,
  close_reader,
  ask,
  pause,
  remove_segment
};

/// What happens up to the next quiet point.
enum class Kind { ordinary, with_removals, all_leave, all_are_killed, limit };

struct Choice {
  std::string_view name;
  std::uint32_t weight;
};

inline constexpr std::array deeds{Choice{"start", 22},
                                  Choice{"start for a moment", 8},
                                  Choice{"start with --max", 6},
                                  Choice{"leave", 10},
                                  Choice{"interrupt", 4},
                                  Choice{"hang up", 4},
                                  Choice{"kill", 14},
                                  Choice{"stop/go on", 16},
                                  Choice{"close reader", 4},
                                  Choice{"ask for status", 5},
                                  Choice{"pause", 10},
                                  Choice{"ipcrm", 0}};
inline constexpr std::array kinds{Choice{"ordinary", 64}, Choice{"with removals", 20}, Choice{"all leave", 3},
                                  Choice{"all are killed", 3}, Choice{"limit", 10}};

struct Action {
  Deed deed;
  std::size_t place;
  std::uint32_t number;  ///< how exactly: which options, how long

  [[nodiscard]] std::string text() const {
    return fmt::format("{} at {} ({})", deeds.at(static_cast<std::size_t>(deed)).name, place, number);
  }
};

struct Round {
  Kind kind;
  std::uint32_t number;
  std::vector<Action> actions;

  [[nodiscard]] std::string text() const {
    return fmt::format("round: {}, {} actions", kinds.at(static_cast<std::size_t>(kind)).name, actions.size());
  }
};

/// Draws one number after the other: the order in which a compiler evaluates arguments is its own.
class Plan {
 public:
  Plan(std::uint32_t seed, std::size_t places) : random_(seed), places_(places) {}

  Round next() {
    Round round{.kind = draw<Kind>(kinds), .number = below(any), .actions = {}};
    for (std::uint32_t left = 1 + below(30); left > 0; --left) {
      Action action{.deed = draw<Deed>(deeds), .place = below(places_), .number = below(any)};
      if (below(8) == 0 && round.kind == Kind::with_removals) action.deed = Deed::remove_segment;
      round.actions.push_back(action);
    }
    return round;
  }

 private:
  static constexpr std::size_t any = 1U << 31U;

  std::uint32_t below(std::size_t limit) { return static_cast<std::uint32_t>(random_() % limit); }

  template <typename What>
  What draw(const auto& choices) {
    std::uint32_t total = 0;
    for (const Choice& choice : choices) total += choice.weight;
    std::uint32_t dice = below(total);
    std::size_t i = 0;
    for (; dice >= choices[i].weight; ++i) dice -= choices[i].weight;
    return static_cast<What>(i);
  }

  std::mt19937 random_;
  std::size_t places_;
};

}  // namespace share_data::test
