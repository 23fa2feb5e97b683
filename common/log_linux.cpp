#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <string>

#include <fmt/format.h>

#include "log.h"

namespace share_data {
namespace {

constexpr int wait_for_ever = -1;
constexpr int wait_for_a_note_ms = 1000;

std::error_code last_error() { return {errno, std::system_category()}; }

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
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  const auto milliseconds = now.tv_nsec / 1'000'000;
  std::tm local{};
  std::tm utc{};
  localtime_r(&now.tv_sec, &local);
  gmtime_r(&now.tv_sec, &utc);
  return {.clock = fmt::format("{:02}:{:02}:{:02}.{:03}", local.tm_hour, local.tm_min, local.tm_sec, milliseconds),
          .rfc3339 = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900, utc.tm_mon + 1,
                                 utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, milliseconds)};
}

}  // namespace share_data
