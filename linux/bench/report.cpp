#include "report.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <utility>

namespace share_data::bench {
namespace {

std::string ratio_text(const Row& row) { return row.ratio ? fmt::format("{:.2f}", *row.ratio) : ""; }

std::string goal_text(const Row& row) {
  if (!row.goal || !row.ratio) return "";
  return fmt::format("≤ {:g}: {}", *row.goal, *row.ratio <= *row.goal ? "met" : "**not met**");
}

}  // namespace

std::string text_of(Microseconds time) {
  const double us = time.count();
  if (us < 995) return fmt::format("{:.0f} µs", us);
  if (us < 9'950) return fmt::format("{:.1f} ms", us / 1e3);
  if (us < 995'000) return fmt::format("{:.0f} ms", us / 1e3);
  return fmt::format("{:.2f} s", us / 1e6);
}

std::string Samples::text() const {
  return empty() ? "" : fmt::format("{} (p90 {})", text_of(median()), text_of(p90()));
}

/// Of the sorted times, the one that the share `q` of all do not exceed.
Microseconds Samples::quantile(double q) const {
  if (times_.empty()) return {};
  auto sorted = times_;
  std::ranges::sort(sorted);
  const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(sorted.size())));
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

Row compare(std::string what, const Samples& measured, const Samples& limit, std::optional<double> goal) {
  return {.what = std::move(what),
          .measured = measured.text(),
          .limit = limit.text(),
          .ratio = measured.median() / limit.median(),
          .goal = goal};
}

void Report::add(Row row) {
  fmt::print(stderr, "{}: {} against {}, {}\n", row.what, row.measured, row.limit, ratio_text(row));
  rows_.push_back(std::move(row));
}

std::string Report::markdown(const std::string& facts) const {
  std::string text = fmt::format(
      "{}\n\n| | share_data | limit | ratio | goal | the article's way |\n|---|---|---|---|---|---|\n", facts);
  for (const Row& row : rows_) {
    text += fmt::format("| {} | {} | {} | {} | {} | {} |\n", row.what, row.measured, row.limit, ratio_text(row),
                        goal_text(row), row.article);
  }
  return text;
}

}  // namespace share_data::bench
