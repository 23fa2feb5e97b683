#include "log.h"

#include <fmt/color.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <span>

namespace share_data {
namespace {

constexpr std::size_t pids_shown = 8;
constexpr std::size_t pids_in_json = 350;  // with at most 11 bytes each, and 160 for the rest, they fit into 4096

using Pids = std::span<const std::uint32_t>;

constexpr auto dim = fmt::emphasis::faint;
constexpr auto bold = fmt::emphasis::bold;
const auto green = fg(fmt::terminal_color::green);
const auto yellow = fg(fmt::terminal_color::yellow);
const auto red = fg(fmt::terminal_color::red);

std::string paint(const std::string& text, fmt::text_style style, bool colored) {
  return colored ? fmt::format(style, "{}", text) : text;
}

bool wants_color(const LogStyle& style) {
  if (style.json || style.color == Color::never) return false;
  return style.color == Color::always || standard_output_wants_color();
}

/// `+ 4250 4251`, at most eight pids and then `and 23 more`.
void append_pids(std::string& text, char sign, Pids pids, fmt::text_style style, bool colored) {
  if (pids.empty()) return;
  const Pids shown = pids.first(std::min(pids.size(), pids_shown));
  if (text.back() != ' ') text += "  ";
  text += paint(fmt::format("{} {}", sign, fmt::join(shown, " ")), style, colored);
  if (pids.size() > shown.size()) text += fmt::format(" and {} more", pids.size() - shown.size());
}

const char* name_of(Event::Kind kind) {
  return std::array{"joined", "changed", "left"}[static_cast<std::size_t>(kind)];
}

std::string text_line(const Event& event, std::string_view time, std::uint32_t pid, bool colored) {
  std::string text = fmt::format("{}  {:<7} {} live  ", paint(std::string{time}, dim, colored),
                                 fmt::format("[{}]", pid), paint(fmt::format("{:>4}", event.live), bold, colored));
  if (event.kind == Event::Kind::changed) {
    append_pids(text, '+', event.joined, green, colored);
    append_pids(text, '-', event.left, yellow, colored);
    append_pids(text, 'x', event.killed, red, colored);
    if (!event.killed.empty()) text += event.killed.size() == 1 ? " was killed" : " were killed";
    append_pids(text, '?', event.unknown, yellow, colored);
  } else {
    text += name_of(event.kind);
  }
  // What the article's counter shows, where that is more than there is. Only then: a start or an exit in flight leaves
  // it below the count for a moment, a copy that was killed leaves it above for good.
  const bool worth_saying = event.kind == Event::Kind::joined || !event.killed.empty();
  if (worth_saying && event.plain > static_cast<std::int64_t>(event.live)) {
    text += fmt::format(" (a plain ++/-- counter now says {})", event.plain);
  }
  if (!event.remark.empty()) text += fmt::format("; {}", event.remark);
  return text + '\n';
}

std::vector<std::string> json_lines(const Event& event, std::string_view time, std::uint32_t pid) {
  std::vector<std::string> lines;
  std::array<Pids, 4> rest{event.joined, event.left, event.killed, event.unknown};
  do {
    std::array<Pids, 4> here;
    for (std::size_t room = pids_in_json, i = 0; i < rest.size(); ++i) {
      here[i] = rest[i].first(std::min(room, rest[i].size()));
      rest[i] = rest[i].subspan(here[i].size());
      room -= here[i].size();
    }
    lines.push_back(fmt::format(
        R"({{"time":"{}","pid":{},"event":"{}","live":{},"plain":{},"joined":[{}],"left":[{}],"killed":[{}],"unknown":[{}]}})"
        "\n",
        time, pid, name_of(event.kind), event.live, event.plain, fmt::join(here[0], ","), fmt::join(here[1], ","),
        fmt::join(here[2], ","), fmt::join(here[3], ",")));
  } while (!std::ranges::all_of(rest, &Pids::empty));
  return lines;
}

/// The time of day here, or date and time in UTC.
std::string time_text(bool utc) {
  using namespace std::chrono;
  const auto now = floor<milliseconds>(system_clock::now()).time_since_epoch().count();
  const std::time_t seconds = now / 1000;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread at a time writes lines
  const std::tm fields = utc ? *std::gmtime(&seconds) : local_time(seconds);
  std::array<char, 32> text{};
  (void)std::strftime(text.data(), text.size(), utc ? "%Y-%m-%dT%H:%M:%S" : "%H:%M:%S", &fields);
  return fmt::format("{}.{:03}{}", text.data(), now % 1000, utc ? "Z" : "");
}

std::string status_json(const std::vector<Instance>& instances, std::int32_t plain) {
  std::string objects;
  for (const auto& [pid, seconds] : instances) {
    objects += fmt::format(R"({}{{"pid":{},"seconds":{}}})", objects.empty() ? "" : ",", pid,
                           seconds ? fmt::format("{:.2f}", *seconds) : "null");
  }
  return fmt::format("{{\"live\":{},\"plain\":{},\"instances\":[{}]}}\n", instances.size(), plain, objects);
}

std::string status_text(const std::vector<Instance>& instances) {
  std::string text = fmt::format("{} live\n", instances.size());
  if (!instances.empty()) text += fmt::format("{:>9}  {:>12}\n", "PID", "RUNNING");
  for (const auto& [pid, seconds] : instances) {
    const auto whole = static_cast<std::uint64_t>(seconds.value_or(0));
    const std::string time = fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
    text += fmt::format("{:>9}  {:>12}\n", pid, seconds ? time : "?");
  }
  return text;
}

}  // namespace

Log::Log(LogStyle style, std::uint32_t pid) : style_(style), colored_(wants_color(style)), pid_(pid) {}

std::vector<std::string> Log::lines(const Event& event, std::string_view time) const {
  if (style_.json) return json_lines(event, time, pid_);
  return {text_line(event, time, pid_, colored_)};
}

std::error_code Log::event(const Event& event) const {
  for (const std::string& line : lines(event, style_.json ? rfc3339_time() : clock_time())) {
    if (const std::error_code error = write_standard_output(line)) return error;
  }
  return {};
}

std::error_code Log::status(const std::vector<Instance>& instances, std::int32_t plain, std::string_view more) const {
  const auto text = style_.json ? status_json(instances, plain) : status_text(instances).append(more);
  return write_standard_output(text);
}

void Log::write_explanation(std::string_view text) const { write_standard_error(fmt::format("[{}] {}\n", pid_, text)); }

void Log::error(std::string_view text) const { write_standard_error(fmt::format("share_data: {}\n", text)); }

std::string clock_time() { return time_text(false); }

std::string rfc3339_time() { return time_text(true); }

}  // namespace share_data
