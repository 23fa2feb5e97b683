#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <string_view>
#include <system_error>

#include "log.h"
#include "stop_request.h"

namespace share_data {
namespace {

constexpr int without_limit = -1;

std::error_code last_error() { return {errno, std::system_category()}; }

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
    if (written < 0 && stop_request::out_of_patience()) return std::make_error_code(std::errc::timed_out);
  }
  return {};
}

}  // namespace

std::error_code write_standard_output(std::string_view text) { return write_all(STDOUT_FILENO, text); }

// Once a note was lost, the next ones wait no more: many of them must not hold up the lines.
void write_standard_error(std::string_view text) {
  static int patience_ms = 1000;
  if (writable(STDERR_FILENO, stop_request::made() ? 0 : patience_ms)) {
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
  const std::string_view terminal = variable("TERM");
  return variable("NO_COLOR").empty() && !terminal.empty() && terminal != "dumb" && isatty(STDOUT_FILENO) == 1;
}

// A terminal that was closed says EIO to everything, to isatty(3), too. From a file it is an error of the disk.
bool reader_is_gone(const std::error_code& error) {
  const bool is_terminal = isatty(STDOUT_FILENO) == 1 || errno == EIO;
  if (error == std::errc::io_error) return is_terminal;
  return error == std::errc::broken_pipe || error == std::errc::timed_out;
}

void check_standard_descriptors() {
  std::array<pollfd, 3> all{{{STDIN_FILENO, 0, 0}, {STDOUT_FILENO, 0, 0}, {STDERR_FILENO, 0, 0}}};
  (void)poll(all.data(), all.size(), 0);
  for (const pollfd& each : all) {
    if ((each.revents & POLLNVAL) == 0) continue;
    if (each.fd == STDOUT_FILENO) throw std::system_error(EBADF, std::system_category(), "standard output");
    (void)open("/dev/null", O_RDWR);  // takes the lowest free number, which is this one
  }
}

std::tm local_time(std::time_t seconds) {
  std::tm local{};
  (void)localtime_r(&seconds, &local);  // fails only in the year 2^31
  return local;
}

}  // namespace share_data
