// What a copy says: lines about the count on standard output, notes and errors on standard error.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace share_data {

enum class Color { automatic, always, never };

struct LogStyle {
  bool json = false;     ///< JSON Lines on standard output instead of text
  bool quiet = false;    ///< no notes on standard error
  bool explain = false;  ///< a note on standard error for each step of the mechanism
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
  std::vector<std::uint32_t> unknown =
      {};                        ///< not counted any more, and nobody can say whether they left or were killed
  std::string_view remark = {};  ///< more for people to read; not part of the JSON
};

/// A running copy, as --status shows it.
struct Instance {
  std::uint32_t pid;
  std::optional<double> seconds;  ///< how long it has been running; empty if the system does not tell
};

class Log {
 public:
  /// `pid` is the process that the lines speak for.
  Log(LogStyle style, std::uint32_t pid);

  /// Writes the line for `event` to standard output; as JSON, several lines if it names very many copies.
  [[nodiscard]] std::error_code event(const Event& event) const;

  /// Writes the answer to --status to standard output: the count, who is running, and `more`, which only people
  /// get.
  [[nodiscard]] std::error_code status(const std::vector<Instance>& instances, std::int32_t plain,
                                       std::string_view more = {}) const;

  /// Tells people something on standard error, unless they asked for quiet.
  template <typename... Arguments>
  void note(fmt::format_string<Arguments...> text, Arguments&&... arguments) const {
    if (!style_.quiet) error(fmt::format(text, std::forward<Arguments>(arguments)...));
  }

  /// With --explain, tells people on standard error what has just happened in the mechanism.
  template <typename... Arguments>
  void explain(fmt::format_string<Arguments...> text, Arguments&&... arguments) const {
    if (explains()) write_explanation(fmt::format(text, std::forward<Arguments>(arguments)...));
  }
  [[nodiscard]] bool explains() const { return style_.explain; }

  /// Tells people what went wrong on standard error.
  void error(std::string_view text) const;

  /// `event` as lines that begin with `time`, newlines included. A line has at most 4096 bytes (PIPE_BUF), so that it
  /// does not mix with those of other copies in the same pipe: text names at most eight of each kind, JSON goes on in
  /// another line.
  [[nodiscard]] std::vector<std::string> lines(const Event& event, std::string_view time) const;

 private:
  void write_explanation(std::string_view text) const;

  LogStyle style_;
  bool colored_;
  std::uint32_t pid_;
};

[[nodiscard]] std::string clock_time();    ///< local time, `17:03:21.104`
[[nodiscard]] std::string rfc3339_time();  ///< UTC, `2024-05-06T15:03:21.104Z`

// What the platform does for it: log_linux.cpp, log_windows.cpp.

/// Writes all of `text`, with a single call if the system takes it whole, so that the lines of many copies in one
/// terminal do not mix. std::errc::timed_out if it was given up because of stop_request::out_of_patience().
[[nodiscard]] std::error_code write_standard_output(std::string_view text);

/// The same for standard error. A reader who takes nothing for a second loses the text.
void write_standard_error(std::string_view text);

/// Whether standard output is a terminal that shows colours, and the user has not said NO_COLOR.
[[nodiscard]] bool standard_output_wants_color();

/// True if what a write failed with only says that the reader has had enough: `head -1`, a closed terminal, or a
/// reader who took nothing for too long.
[[nodiscard]] bool reader_is_gone(const std::error_code& error);

/// `seconds` since 1970 as local time. (std::localtime would look at the file of the time zone each time.)
[[nodiscard]] std::tm local_time(std::time_t seconds);

/// Windows only: what is no valid Unicode becomes U+FFFD, the replacement character.
[[nodiscard]] std::wstring to_utf16(std::string_view text);

/// Throws std::system_error if standard output is closed. If standard input or error is, the first descriptors that
/// the program opens would get their numbers, and its notes would go there: on Linux it makes sure that they do not.
void check_standard_descriptors();

}  // namespace share_data
