#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <string>

#include "log.h"

namespace share_data {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::system_clock;
using Moment = std::chrono::sys_time<milliseconds>;

constexpr int wait_for_ever = -1;
constexpr int wait_for_a_note_ms = 1000;

std::error_code last_error() { return {errno, std::system_category()}; }

/// How far local time is ahead of UTC. localtime_r(3) takes longer than all else that a line needs, so the answer
/// is kept for a quarter of an hour of the clock: time zones change at its end and at no other moment.
seconds local_offset(Moment now) {
  constexpr auto period = std::chrono::minutes{15};
  thread_local auto period_asked_for = Moment::duration::min() / period;
  thread_local seconds offset{};
  if (const auto current = now.time_since_epoch() / period; current != period_asked_for) {
    const std::time_t time = system_clock::to_time_t(now);
    std::tm local{};
    (void)localtime_r(&time, &local);  // fails only in the year 2^31
    offset = seconds{local.tm_gmtoff};
    period_asked_for = current;
  }
  return offset;
}

/// Appends the last `width` decimal digits of `number`.
void append_digits(std::string& text, std::int64_t number, std::size_t width) {
  text.append(width, '0');
  for (auto digit = text.rbegin(); width > 0; ++digit, --width, number /= 10) {
    *digit = static_cast<char>('0' + number % 10);
  }
}

/// Appends `17:03:21.104`.
void append_time_of_day(std::string& text, Moment moment) {
  const std::chrono::hh_mm_ss time{moment - floor<days>(moment)};
  append_digits(text, time.hours().count(), 2);
  append_digits(text += ':', time.minutes().count(), 2);
  append_digits(text += ':', time.seconds().count(), 2);
  append_digits(text += '.', time.subseconds().count(), 3);
}

/// Appends `2024-05-06`.
void append_date(std::string& text, Moment moment) {
  const std::chrono::year_month_day date{floor<days>(moment)};
  append_digits(text, static_cast<int>(date.year()), 4);
  append_digits(text += '-', static_cast<unsigned>(date.month()), 2);
  append_digits(text += '-', static_cast<unsigned>(date.day()), 2);
}

/// Waits until `fd` takes more, at most `patience_ms` milliseconds (-1: without limit).
bool writable(int fd, int patience_ms) {
  pollfd entry{.fd = fd, .events = POLLOUT, .revents = 0};
  int ready = 0;
  do {
    ready = poll(&entry, 1, patience_ms);
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

std::error_code write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {  // somebody else made the terminal or pipe that we share non-blocking
      if (!writable(fd, wait_for_ever)) return last_error();
    } else if (errno != EINTR) {
      return last_error();
    }
  }
  return {};
}

}  // namespace

std::error_code write_standard_output(std::string_view text) { return write_all(STDOUT_FILENO, text); }

void write_standard_error(std::string_view text) {
  // Where standard error is gone there is nobody left to tell.
  if (writable(STDERR_FILENO, wait_for_a_note_ms)) (void)write_all(STDERR_FILENO, text);
}

bool standard_output_wants_color() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): read before any thread starts
    return std::string_view{value == nullptr ? "" : value};
  };
  return variable("NO_COLOR").empty() && variable("TERM") != "dumb" && isatty(STDOUT_FILENO) == 1;
}

Timestamp current_time() {
  const auto now = floor<milliseconds>(system_clock::now());
  Timestamp time;
  append_time_of_day(time.clock, now + local_offset(now));
  append_date(time.rfc3339, now);
  append_time_of_day(time.rfc3339 += 'T', now);
  time.rfc3339 += 'Z';
  return time;
}

}  // namespace share_data
