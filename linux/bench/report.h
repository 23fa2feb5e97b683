// The table.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace share_data::bench {

using Microseconds = std::chrono::duration<double, std::micro>;

/// What one side of a row has taken in each round.
class Samples {
 public:
  void add(Microseconds time) { times_.push_back(time); }
  [[nodiscard]] Microseconds median() const { return quantile(0.5); }
  [[nodiscard]] Microseconds p90() const { return quantile(0.9); }
  [[nodiscard]] bool empty() const { return times_.empty(); }

  /// `412 µs (p90 530 µs)`
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
  std::optional<double> ratio = {};  ///< measured / limit
  std::optional<double> goal = {};   ///< the most that the ratio may be
  std::string article = "";          ///< how the article's way does here
};

/// A row for two sides that were measured in turns.
[[nodiscard]] Row compare(std::string what, const Samples& measured, const Samples& limit,
                          std::optional<double> goal);

/// `412 µs`, `1.1 ms`
[[nodiscard]] std::string text_of(Microseconds time);

class Report {
 public:
  /// Adds a row, and tells people on standard error how far we are.
  void add(Row row);

  /// As Markdown, with `facts` in a line above.
  [[nodiscard]] std::string markdown(const std::string& facts) const;

 private:
  std::vector<Row> rows_;
};

}  // namespace share_data::bench
