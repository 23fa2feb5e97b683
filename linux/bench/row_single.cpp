// What one copy costs that is alone: the time to its first line, and its memory.
//
// The limit: a process that reads the same options and prints one line.
#include <fmt/format.h>

#include "opponents.h"
#include "rows.h"

namespace share_data::bench {
namespace {

constexpr double goal = 1.15;

Microseconds until_first_line(const Command& command) {
  settle(1);  // whatever ran before, each starts on an idle machine
  Crowd crowd;
  const auto start = Clock::now();
  crowd.start(command);
  const Microseconds taken = crowd.wait_for(1) - start;
  crowd.stop_all();  // the last one out removes its segment
  return taken;
}

/// Of one of two: what the program file itself fills is only shared if somebody shares it.
std::uint64_t private_memory(const Command& command, std::uint32_t shown_by_two) {
  Crowd crowd;
  crowd.start(command);
  crowd.wait_for(1);
  crowd.start(command);
  crowd.wait_for(shown_by_two);
  settle(2);
  return private_kib(crowd.pids().front());
}

}  // namespace

void first_line(const Bench& bench) {
  Samples copy;
  Samples limit;
  Samples article;
  for (int round = 0; round < bench.scale.single_rounds; ++round) {
    const OwnKey key;
    copy.add(until_first_line(copy_command(key)));
    limit.add(until_first_line(limit_command(role::print, key)));
    const OwnKey article_key;
    article.add(until_first_line(article_command(article_key)));
  }
  Row row = compare("one is started → its first line", copy, limit, goal);
  row.article = article.text() + ", without options";
  bench.report.add(std::move(row));
}

void memory(const Bench& bench) {
  const OwnKey key;
  const OwnKey article_key;
  const auto copy = private_memory(copy_command(key), 2);
  const auto limit = private_memory(limit_command(role::print, key), 1);
  const auto article = private_memory(article_command(article_key), 2);
  const double ratio = static_cast<double>(copy) / static_cast<double>(limit);
  bench.report.add({.what = "private memory of one",
                    .measured = fmt::format("{} KiB", copy),
                    .limit = fmt::format("{} KiB", limit),
                    .ratio = fmt::format("{:.2f}", ratio),
                    .goal = goal_text(ratio, goal),
                    .article = fmt::format("{} KiB", article)});
}

}  // namespace share_data::bench
