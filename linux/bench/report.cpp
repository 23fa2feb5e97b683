#include "report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

namespace share_data::bench {

std::string text_of(Microseconds time) {
  const double us = time.count();
  if (us < 995) return fmt::format("{:.0f} µs", us);
  if (us < 9'950) return fmt::format("{:.1f} ms", us / 1e3);
  if (us < 995'000) return fmt::format("{:.0f} ms", us / 1e3);
  return fmt::format("{:.2f} s", us / 1e6);
}

std::string Samples::text() const { return fmt::format("{} (p90 {})", text_of(median()), text_of(quantile(0.9))); }

/// Of the sorted times, the one that the share `q` of all do not exceed.
Microseconds Samples::quantile(double q) const {
  if (times_.empty()) return {};
  auto sorted = times_;
  std::ranges::sort(sorted);
  const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(sorted.size())));
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

std::string goal_text(double value, double most, std::string_view of) {
  return fmt::format("≤ {:g}{}: {}", most, of, value <= most ? "met" : "**not met**");
}

Row compare(std::string what, const Samples& measured, const Samples& limit, double goal) {
  const double ratio = measured.median() / limit.median();
  return {.what = std::move(what),
          .measured = measured.text(),
          .limit = limit.text(),
          .ratio = fmt::format("{:.2f}", ratio),
          .goal = goal_text(ratio, goal)};
}

void Report::add(Row row) {
  fmt::print(stderr, "{}: {}; limit {}; {}\n", row.what, row.measured, row.limit, row.goal);
  rows_.push_back(std::move(row));
}

std::string Report::markdown(std::string_view facts) const {
  std::string text = fmt::format(
      "{}\n\n"
      "| | share_data | limit | ratio | pidfd | goal | the article's way, reconstructed |\n"
      "|---|---|---|---|---|---|---|\n",
      facts);
  for (const Row& row : rows_) {
    text += fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", row.what, row.measured, row.limit, row.ratio,
                        row.pidfd, row.goal, row.article);
  }
  return text;
}

}  // namespace share_data::bench
