// Processes that the harness starts, and what they write.
#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace share_data::bench {

using Clock = std::chrono::steady_clock;

/// What to start: a program and its arguments, the name that it is called by included.
struct Command {
  const char* program;
  std::vector<std::string> arguments;
};

/// A screen did not show in time what it must.
struct WrongCount : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Somebody asked the harness to stop.
struct Interrupted : std::exception {};

/// Makes every wait below end with Interrupted once somebody asks the harness to stop.
void catch_stop_signals();

/// Sleeps.
void pause_for(std::chrono::milliseconds time);

/// Processes of one kind, each with its standard output in a pipe of its own that only the harness reads:
/// its screen. Whatever happens, none of them outlives this object.
class Crowd {
 public:
  Crowd();
  ~Crowd();
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;
  Crowd(Crowd&&) = delete;
  Crowd& operator=(Crowd&&) = delete;

  /// Starts one more.
  void start(const Command& command);

  /// Waits until the last line on every screen says that `live` copies are live, and returns when the last
  /// of them was read. Throws WrongCount if that is not so after `patience`.
  Clock::time_point wait_for(std::uint32_t live, std::chrono::seconds patience = std::chrono::seconds{30});

  /// Waits until there is a line on every screen, whatever it says.
  void wait_for_any();

  /// Reads what there is. True if the last line on every screen says that `live` copies are live.
  bool shows(std::uint32_t live);

  /// Sends `signal` to each.
  void send(int signal) const;

  /// Kills all and waits until they are gone.
  void kill_all() { end_all(SIGKILL); }

  /// Sends SIGTERM to all and waits until they have left by themselves.
  void stop_all() { end_all(SIGTERM); }

  [[nodiscard]] const std::vector<pid_t>& pids() const { return pids_; }

 private:
  void end_all(int signal);
  void read_screens(std::chrono::milliseconds patience);
  void read_screen(std::size_t index);
  [[nodiscard]] std::size_t screens_with(std::uint32_t live) const;

  int epoll_;
  std::vector<pid_t> pids_;
  std::vector<int> screens_;
  std::vector<std::uint32_t> shown_;      ///< the count in the last line of each screen
  std::array<char, 64 * 1024> buffer_{};  ///< as large as a pipe, so that no read ends within a line
};

}  // namespace share_data::bench
