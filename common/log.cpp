#include "log.h"

#include <fmt/compile.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <span>

namespace share_data {
namespace {

constexpr std::size_t pids_shown = 8;

using Pids = std::vector<std::uint32_t>;

struct Ink {
  std::string_view on;
  std::string_view off;
};

constexpr Ink no_ink{"", ""};
constexpr Ink dim{"\x1b[2m", "\x1b[22m"};
constexpr Ink bold{"\x1b[1m", "\x1b[22m"};
constexpr Ink green{"\x1b[32m", "\x1b[39m"};
constexpr Ink yellow{"\x1b[33m", "\x1b[39m"};
constexpr Ink red{"\x1b[31m", "\x1b[39m"};

bool wants_color(const LogStyle& style) {
  if (style.json || style.color == Color::never) return false;
  return style.color == Color::always || standard_output_wants_color();
}

/// `+ 4250 4251`, at most eight pids and then `and 23 more`.
void append_pids(std::string& text, char sign, const Pids& pids, const Ink& ink) {
  if (pids.empty()) return;
  const std::span shown{pids.data(), std::min(pids.size(), pids_shown)};
  if (text.back() != ' ') text += "  ";
  text += ink.on;
  text += sign;
  for (const std::uint32_t pid : shown) fmt::format_to(std::back_inserter(text), FMT_COMPILE(" {}"), pid);
  text += ink.off;
  if (pids.size() > shown.size()) {
    fmt::format_to(std::back_inserter(text), FMT_COMPILE(" and {} more"), pids.size() - shown.size());
  }
}

/// Says what the article's counter shows where that is more than there is. Only then: a start or an exit in
/// flight leaves it below the count for a moment, a copy that was killed leaves it above for good.
void append_plain(std::string& text, const Event& event) {
  const bool worth_saying = event.kind == Event::Kind::joined || !event.killed.empty();
  if (worth_saying && event.plain > static_cast<std::int64_t>(event.live)) {
    fmt::format_to(std::back_inserter(text), " (a plain ++/-- counter now says {})", event.plain);
  }
}

std::string_view name_of(Event::Kind kind) {
  switch (kind) {
    case Event::Kind::joined:
      return "joined";
    case Event::Kind::left:
      return "left";
    case Event::Kind::changed:
      break;
  }
  return "changed";
}

void append_what_happened(std::string& text, const Event& event, bool colored) {
  if (event.kind == Event::Kind::changed) {
    append_pids(text, '+', event.joined, colored ? green : no_ink);
    append_pids(text, '-', event.left, colored ? yellow : no_ink);
    append_pids(text, 'x', event.killed, colored ? red : no_ink);
    if (!event.killed.empty()) text += event.killed.size() == 1 ? " was killed" : " were killed";
    append_pids(text, '?', event.unknown, colored ? yellow : no_ink);
  } else {
    text += name_of(event.kind);
  }
  append_plain(text, event);
  if (!event.remark.empty()) fmt::format_to(std::back_inserter(text), "; {}", event.remark);
}

// The formats are compiled: N copies write their lines with cold caches, where the code that would read a format
// at run time takes longer than the write(2).
std::string text_line(const Event& event, const Timestamp& time, std::uint32_t pid, bool colored) {
  const Ink time_ink = colored ? dim : no_ink;
  const Ink live_ink = colored ? bold : no_ink;
  std::string text;
  text.reserve(160);
  const auto end = std::back_inserter(text);
  fmt::format_to(end, FMT_COMPILE("{}{}{}  {:<7} {}{:>4}{} live  "), time_ink.on, time.clock, time_ink.off,
                 fmt::format(FMT_COMPILE("[{}]"), pid), live_ink.on, event.live, live_ink.off);
  append_what_happened(text, event, colored);
  text += '\n';
  return text;
}

std::string json_line(const Event& event, const Timestamp& time, std::uint32_t pid) {
  return fmt::format(
      R"({{"time":"{}","pid":{},"event":"{}","live":{},"plain":{},"joined":[{}],"left":[{}],"killed":[{}],"unknown":[{}]}})"
      "\n",
      time.rfc3339, pid, name_of(event.kind), event.live, event.plain, fmt::join(event.joined, ","),
      fmt::join(event.left, ","), fmt::join(event.killed, ","), fmt::join(event.unknown, ","));
}

std::string status_json(const std::vector<Instance>& instances, std::int32_t plain) {
  std::vector<std::string> objects;
  objects.reserve(instances.size());
  for (const auto& [pid, seconds] : instances) {
    objects.push_back(
        fmt::format(R"({{"pid":{},"seconds":{}}})", pid, seconds ? fmt::format("{:.2f}", *seconds) : "null"));
  }
  return fmt::format("{{\"live\":{},\"plain\":{},\"instances\":[{}]}}\n", instances.size(), plain,
                     fmt::join(objects, ","));
}

std::string hours_minutes_seconds(double seconds) {
  const auto whole = static_cast<std::uint64_t>(seconds);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string status_text(const std::vector<Instance>& instances) {
  std::string text = fmt::format("{} live\n", instances.size());
  if (!instances.empty()) text += fmt::format("{:>9}  {:>12}\n", "PID", "RUNNING");
  for (const auto& [pid, seconds] : instances) {
    text += fmt::format("{:>9}  {:>12}\n", pid, seconds ? hours_minutes_seconds(*seconds) : "?");
  }
  return text;
}

}  // namespace

Log::Log(LogStyle style, std::uint32_t pid) : style_(style), colored_(wants_color(style)), pid_(pid) {}

std::string Log::line(const Event& event, const Timestamp& time) const {
  return style_.json ? json_line(event, time, pid_) : text_line(event, time, pid_, colored_);
}

std::error_code Log::event(const Event& event) const { return write_standard_output(line(event, current_time())); }

std::error_code Log::status(const std::vector<Instance>& instances, std::int32_t plain, std::string_view more) const {
  const auto text = style_.json ? status_json(instances, plain) : status_text(instances).append(more);
  return write_standard_output(text);
}

void Log::write_note(fmt::string_view text, fmt::format_args arguments) const { error(fmt::vformat(text, arguments)); }

void Log::write_explanation(fmt::string_view text, fmt::format_args arguments) const {
  write_standard_error(fmt::format("[{}] {}\n", pid_, fmt::vformat(text, arguments)));
}

void Log::error(std::string_view text) const { write_standard_error(fmt::format("share_data: {}\n", text)); }

}  // namespace share_data
