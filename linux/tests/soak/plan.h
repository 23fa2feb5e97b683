// What the soak does next: drawn from a seed and nothing else, so that it can be repeated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace share_data::test {

/// What can be done to the copy at one place, or to the segment. If there is no copy at the place, any of them starts
/// one there: so no draw depends on how the copies have fared.
enum class Deed {
  start,
  start_for_a_moment,
  start_limited,
  terminate,
  interrupt,
  hang_up,
  kill,
  stop_or_continue,
  close_reader,
  ask_status,
  pause,
  remove_segment,
  write_garbage,
};

struct Action {
  Deed deed;
  std::size_t place;
  std::uint32_t number;  ///< how exactly: which limit, which garbage, how long
};

/// What happens up to the next quiet point.
struct Round {
  enum class Kind {
    ordinary,             ///< starts, exits, kills, stops, questions
    with_removals,        ///< the same, and `ipcrm`
    with_garbage,         ///< the same, and garbage
    everybody_leaves,     ///< then nothing is left
    everybody_is_killed,  ///< then a fresh copy shows 1
    limit,                ///< many start with --max at once: exactly as many join as may
  };
  Kind kind;
  std::uint32_t number;
  std::vector<Action> actions;
};

class Plan {
 public:
  Plan(std::uint32_t seed, std::size_t places) : random_(seed), places_(places) {}

  Round next();

 private:
  std::uint32_t below(std::size_t limit) { return static_cast<std::uint32_t>(random_() % limit); }
  template <typename Table>
  std::size_t draw(const Table& table);
  Action draw_action(Round::Kind kind);

  std::mt19937 random_;
  std::size_t places_;
};

[[nodiscard]] std::string described(const Action& action);
[[nodiscard]] std::string described(const Round& round);

}  // namespace share_data::test
