#include "history.h"

#include <algorithm>
#include <cstdlib>
#include <ctime>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace share_data::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

constexpr std::size_t length_of_time = 12;  // HH:MM:SS.mmm

std::string clock_time(system_clock::time_point when) {
  const auto since = std::chrono::floor<milliseconds>(when.time_since_epoch());
  return fmt::format("{:%H:%M:%S}.{:03}", fmt::gmtime(std::chrono::floor<std::chrono::seconds>(when)),
                     since.count() % 1000);
}

}  // namespace

History::History() {
  setenv("TZ", "UTC0", 1);  // NOLINT(concurrency-mt-unsafe): before there is a second thread
}

void History::note(const std::string& text) {
  last_action_ = system_clock::now();
  add({clock_time(last_action_), text});
}

void History::line(const std::string& text) {
  const auto date = text.starts_with('{') ? text.find('T') + 1 : 0;
  add({text.substr(date, length_of_time), text.substr(date == 0 ? std::min(length_of_time, text.size()) : 0)});
}

void History::add(Entry entry) {
  constexpr std::size_t most = 200'000;
  entries_.push_back(std::move(entry));
  if (entries_.size() > most) entries_.pop_front();
}

std::vector<std::string> History::recent() const {
  std::vector<Entry> sorted{entries_.begin(), entries_.end()};
  const std::string first = clock_time(last_action_ - reach);
  const bool same_day = first < clock_time(system_clock::now());
  if (same_day) std::erase_if(sorted, [&](const Entry& entry) { return entry.time < first; });
  std::ranges::stable_sort(sorted, {}, &Entry::time);
  std::vector<std::string> lines;
  for (const auto& [time, text] : sorted) lines.push_back(fmt::format("{} {}", time, text));
  return lines;
}

}  // namespace share_data::test
