// Many copies that are started at once, until every one of them shows all: the worst case for a program that tells
// every copy about every other one.
//
// The limit: as many processes that read the same options and print one line.
#include <fmt/format.h>

#include <cmath>

#include "opponents.h"
#include "rows.h"

namespace share_data::bench {
namespace {

constexpr double goal = 1.3;
constexpr double goal_exponent = 1.3;  // N, and not N²

/// Starts `count` at once, until all of them show `live`.
Microseconds start_all(const Command& command, std::uint32_t count, std::uint32_t live,
                       std::chrono::seconds patience = std::chrono::seconds{60}) {
  Crowd crowd;
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
    measured.copies.add(start_all(copy_command(key), count, count));
    measured.processes.add(start_all(limit_command(role::print, key), count, 1));
  }
  return measured;
}

/// How often all of the article's copies showed the right count, and after what time.
std::string article_way(const Bench& bench, std::uint32_t count) {
  const int rounds = bench.scale.mass_rounds;
  int right = 0;
  Samples samples;
  for (int round = 0; round < rounds; ++round) {
    const OwnKey key;
    try {
      samples.add(start_all(article_command(key), count, count, std::chrono::seconds{3}));
      ++right;
    } catch (const WrongCount&) {  // two have added at once, or not all have seen it in time
    }
  }
  return fmt::format("right in {} of {} runs{}", right, rounds, right > 0 ? ", after " + samples.text() : "");
}

/// How the time grows with the number of copies: 1 is like N, 2 is like N².
double exponent(const Samples& few, const Samples& many, double factor) {
  return std::log(many.median() / few.median()) / std::log(factor);
}

}  // namespace

void mass_start(const Bench& bench) {
  const std::uint32_t many = bench.scale.mass;
  const std::uint32_t few = many / 4;
  const auto name = [](std::uint32_t n) { return fmt::format("{} started at once → all show all", n); };
  const Measured of_few = measure(bench, few);
  Row row = compare(name(few), of_few.copies, of_few.processes, goal);
  row.article = article_way(bench, few);
  bench.report.add(std::move(row));

  const Measured of_many = measure(bench, many);
  bench.report.add(compare(name(many), of_many.copies, of_many.processes, goal));

  const double growth = exponent(of_few.copies, of_many.copies, 4);
  bench.report.add({.what = fmt::format("growth of that time from {} to {}", few, many),
                    .measured = fmt::format("like N^{:.2f}", growth),
                    .limit = fmt::format("like N^{:.2f}", exponent(of_few.processes, of_many.processes, 4)),
                    .goal = goal_text(growth, goal_exponent, " (exponent)")});
}

}  // namespace share_data::bench
