// What has happened lately, for the one who has to find out why it went wrong.
#pragma once

#include <algorithm>
#include <deque>
#include <string>
#include <string_view>

#include "log.h"

namespace share_data::test {

/// What the soak did, and the lines of the copies, text or JSON. Each has the time in it, all in the same time zone.
class History {
 public:
  void note(const std::string& text) { line(current_time().clock + "  " + text); }

  void line(const std::string& text) {
    constexpr std::size_t most = 20'000;
    lines_.push_back(text);
    if (lines_.size() > most) lines_.pop_front();
  }

  /// In the order of time, not in that in which the soak got to read them.
  [[nodiscard]] std::deque<std::string> in_order() const {
    std::deque<std::string> sorted = lines_;
    std::ranges::stable_sort(sorted, {}, clock_of);
    return sorted;
  }

 private:
  static std::string_view clock_of(const std::string& line) {
    const auto begin = line.starts_with('{') ? line.find('T') + 1 : 0;
    return std::string_view{line}.substr(begin, std::string_view{"HH:MM:SS.mmm"}.size());
  }

  std::deque<std::string> lines_;
};

}  // namespace share_data::test
