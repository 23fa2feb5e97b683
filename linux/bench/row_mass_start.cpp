// Many copies that are started at once, until every one of them shows all: the worst that can happen to a
// program in which everybody is told of everybody.
#include <fmt/format.h>

#include <cmath>

#include "opponents.h"
#include "rows.h"

namespace share_data::bench {
namespace {

constexpr double goal = 1.5;
constexpr double goal_exponent = 1.3;  // N, and not N²
constexpr std::chrono::seconds patience{60};

/// Starts `count` at once, until all of them show `live`.
Microseconds start_all(const Command& command, std::uint32_t count, std::uint32_t live, const StopSignals& stop) {
  Crowd crowd{stop};
  const auto start = Clock::now();
  for (std::uint32_t i = 0; i < count; ++i) crowd.start(command);
  return crowd.wait_for(live, patience) - start;
}

struct Measured {
  Samples copies, processes;
};

Measured measure(const Bench& bench, std::uint32_t count) {
  Measured measured;
  for (int round = 0; round < bench.scale.mass_rounds; ++round) {
    const OwnKey key;  // a new one each round: the segment of copies that were killed goes with it
    measured.copies.add(start_all(copy_command(key), count, count, bench.stop));
    measured.processes.add(start_all(limit_command(role::print, key), count, 1, bench.stop));
  }
  return measured;
}

/// How often the article's count was wrong after so many starts at once.
std::string article_way(const Bench& bench) {
  const std::uint32_t count = bench.scale.article_mass;
  int wrong = 0;
  Samples samples;
  for (int round = 0; round < bench.scale.mass_rounds; ++round) {
    const OwnKey key;
    Crowd crowd{bench.stop};
    const auto start = Clock::now();
    try {
      for (std::uint32_t i = 0; i < count; ++i) crowd.start(article_command(key));
      samples.add(crowd.wait_for(count, std::chrono::seconds{3}) - start);
    } catch (const WrongCount&) {
      ++wrong;
    }
  }
  return fmt::format("{} at once: wrong after {} of {}{}", count, wrong, bench.scale.mass_rounds,
                     samples.empty() ? "" : ", else " + samples.text());
}

/// How the time grows with the number of copies: 1 is like N, 2 is like N².
double exponent(const Samples& few, const Samples& many, double factor) {
  return std::log(many.median() / few.median()) / std::log(factor);
}

}  // namespace

void mass_start(const Bench& bench) {
  const std::uint32_t many = bench.scale.mass;
  const std::uint32_t few = many / 4;
  const Measured of_few = measure(bench, few);
  const Measured of_many = measure(bench, many);
  const auto name = [](std::uint32_t n) {
    return fmt::format("{} started at once → all show all; as many that print", n);
  };
  Row row = compare(name(many), of_many.copies, of_many.processes, goal);
  row.article = article_way(bench);
  bench.report.add(compare(name(few), of_few.copies, of_few.processes, goal));
  bench.report.add(std::move(row));
  const double growth = exponent(of_few.copies, of_many.copies, 4);
  bench.report.add({.what = fmt::format("growth from {} to {}: N to the power of", few, many),
                    .measured = fmt::format("{:.2f}", growth),
                    .limit = fmt::format("{:.2f}", exponent(of_few.processes, of_many.processes, 4)),
                    .ratio = growth,
                    .goal = goal_exponent});
}

}  // namespace share_data::bench
