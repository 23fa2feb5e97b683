// The table.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace share_data::bench {

using Microseconds = std::chrono::duration<double, std::micro>;

/// `412 µs`, `1.1 ms`
[[nodiscard]] std::string text_of(Microseconds time);

/// What one side of a row has taken in each round.
class Samples {
 public:
  void add(Microseconds time) { times_.push_back(time); }
  [[nodiscard]] Microseconds median() const { return quantile(0.5); }
  [[nodiscard]] bool empty() const { return times_.empty(); }

  /// The median and what nine of ten do not exceed: `412 µs (p90 530 µs)`
  [[nodiscard]] std::string text() const;

 private:
  [[nodiscard]] Microseconds quantile(double q) const;

  std::vector<Microseconds> times_;
};

/// One line of the table.
struct Row {
  std::string what;
  std::string measured;
  std::string limit;
  std::string ratio = "";    ///< measured / limit
  std::string pidfd = "";    ///< how a pidfd does here, if it is about a death
  std::string goal = "";     ///< and whether it is met
  std::string article = "";  ///< how the article's way does here
};

/// `≤ 1.1: met`. `of` says what `value` is, if it is not the ratio to the limit.
[[nodiscard]] std::string goal_text(double value, double most, std::string_view of = "");

/// A row for two sides that were measured in turns; the goal is the most that the ratio may be.
[[nodiscard]] Row compare(std::string what, const Samples& measured, const Samples& limit, double goal);

class Report {
 public:
  /// Adds a row, and says on standard error how far we are.
  void add(Row row);

  /// As Markdown, with `facts` in a line above.
  [[nodiscard]] std::string markdown(std::string_view facts) const;

 private:
  std::vector<Row> rows_;
};

}  // namespace share_data::bench
