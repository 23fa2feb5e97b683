// What a copy says: lines about the count on standard output, notes and errors on standard error.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace share_data {

enum class Color { automatic, always, never };

struct LogStyle {
  bool json = false;   ///< JSON Lines on standard output instead of text
  bool quiet = false;  ///< no notes on standard error
  Color color = Color::automatic;
};

/// One line about the count: what it is now, and who came and went since the line before.
struct Event {
  enum class Kind { joined, changed, left };

  Kind kind = Kind::changed;
  std::uint32_t live = 0;  ///< running copies; when `kind` is `left`, those that remain
  std::int32_t plain = 0;  ///< the article's counter: ++ on start, -- on a clean exit
  std::vector<std::uint32_t> joined = {};
  std::vector<std::uint32_t> left = {};
  std::vector<std::uint32_t> killed = {};
  std::string_view remark = {};  ///< more for people to read; not part of the JSON
};

/// A moment, in the two forms that a line can carry.
struct Timestamp {
  std::string clock;    ///< local time, `17:03:21.104`
  std::string rfc3339;  ///< UTC, `2024-05-06T15:03:21.104Z`
};

class Log {
 public:
  /// `pid` is the process that the lines speak for.
  Log(LogStyle style, std::uint32_t pid);

  /// Writes the line for `event` to standard output.
  [[nodiscard]] std::error_code event(const Event& event) const;

  /// Writes `text`, the answer to a question, to standard output.
  [[nodiscard]] std::error_code result(std::string_view text) const;

  /// Tells people something on standard error, unless they asked for quiet.
  void note(std::string_view text) const;

  /// Tells people what went wrong on standard error.
  void error(std::string_view text) const;

  /// `event` as a line, newline included.
  [[nodiscard]] std::string line(const Event& event, const Timestamp& time) const;

  [[nodiscard]] bool json() const { return style_.json; }

 private:
  LogStyle style_;
  bool colored_;
  std::uint32_t pid_;
};

// What the platform does for it: log_linux.cpp, log_windows.cpp.

/// Writes all of `text` with a single call wherever the system takes it whole, so that the lines of many
/// copies in one terminal do not mix.
[[nodiscard]] std::error_code write_standard_output(std::string_view text);

/// The same for standard error. A reader that takes nothing for a second loses the text: no copy waits for
/// it.
void write_standard_error(std::string_view text);

/// Whether standard output is a terminal that shows colours, and the user has not said NO_COLOR.
[[nodiscard]] bool standard_output_wants_color();

[[nodiscard]] Timestamp current_time();

}  // namespace share_data
