#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <string>

#include "log.h"
#include "stop_request.h"

namespace share_data {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::system_clock;
using Moment = std::chrono::sys_time<milliseconds>;

constexpr int without_limit = -1;

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

/// Waits until `fd` takes more, at most `patience_ms` milliseconds (-1: without limit), or for a request to leave.
bool writable(int fd, int patience_ms) {
  pollfd entry{.fd = fd, .events = POLLOUT, .revents = 0};
  return poll(&entry, 1, patience_ms) > 0;
}

/// Gives up once a request to leave has been made and nobody has read for too long. Until then that request ends a
/// call with EINTR again and again.
std::error_code write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {  // another program made the terminal or pipe that we share non-blocking
      (void)writable(fd, without_limit);
    } else if (errno != EINTR) {
      return last_error();
    }
    if (written < 0 && StopRequest::out_of_patience()) return std::make_error_code(std::errc::timed_out);
  }
  return {};
}

}  // namespace

std::error_code write_standard_output(std::string_view text) { return write_all(STDOUT_FILENO, text); }

// Once a note was lost, the next ones wait no more: many of them must not hold up the lines.
void write_standard_error(std::string_view text) {
  static int patience_ms = 1000;
  if (writable(STDERR_FILENO, StopRequest::made() ? 0 : patience_ms)) {
    (void)write_all(STDERR_FILENO, text);
  } else {
    patience_ms = 0;
  }
}

bool standard_output_wants_color() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): the program has one thread
    return std::string_view{value == nullptr ? "" : value};
  };
  return variable("NO_COLOR").empty() && variable("TERM") != "dumb" && isatty(STDOUT_FILENO) == 1;
}

bool reader_is_gone(const std::error_code& error) {
  return error == std::errc::broken_pipe || error == std::errc::io_error || error == std::errc::timed_out;
}

void check_standard_descriptors() {
  if (fcntl(STDOUT_FILENO, F_GETFD) < 0) throw std::system_error(last_error(), "standard output");
  for (const int fd : {STDIN_FILENO, STDERR_FILENO}) {
    if (fcntl(fd, F_GETFD) < 0) open("/dev/null", O_RDWR);  // takes the lowest free number, which is this one
  }
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
