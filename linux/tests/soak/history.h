// What has happened, for the one who has to find out why it went wrong.
#pragma once

#include <chrono>
#include <deque>
#include <string>
#include <vector>

namespace share_data::test {

/// The actions of the last seconds, each with its time. The copies' own lines are put between them by the time
/// that they carry themselves, to the millisecond.
class History {
 public:
  static constexpr std::chrono::seconds reach{10};

  /// Has all times be in UTC, those of the copies too: their text lines are in local time, their JSON is not.
  History();

  void note(const std::string& text);

  /// A line of a copy, text or JSON.
  void line(const std::string& text);

  /// What is known of the seconds up to the last action, in the order of time.
  [[nodiscard]] std::vector<std::string> recent() const;

 private:
  struct Entry {
    std::string time;
    std::string text;
  };
  void add(Entry entry);

  std::deque<Entry> entries_;
  std::chrono::system_clock::time_point last_action_;
};

}  // namespace share_data::test
