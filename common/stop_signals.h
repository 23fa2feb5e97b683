// The ways in which people and systems ask a program to stop, as something that a wait can wait on.
#pragma once

#include <chrono>
#include <cstdint>

namespace share_data {

/// Catches the requests to stop for as long as it lives. Make it before any other thread is started.
///
/// Linux: SIGINT, SIGTERM, SIGHUP and SIGQUIT, also where they were inherited as ignored, as a shell does for
/// what it starts with `&`; SIGPIPE is ignored, so that a reader who goes away is an error code and no death.
/// Windows: Ctrl+C, Ctrl+Break, and closing the window, logging off and shutting down, for which the system
/// waits until this object is destroyed.
class StopSignals {
 public:
  /// Throws std::system_error where the system refuses.
  StopSignals();
  ~StopSignals();  // NOLINT(performance-trivially-destructible): only on Windows
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  StopSignals(StopSignals&&) = delete;
  StopSignals& operator=(StopSignals&&) = delete;

  /// What the system's wait calls take, ready once a request has come and ever after: a file descriptor to
  /// poll for input on Linux, the HANDLE of an event on Windows.
  [[nodiscard]] std::intptr_t wait_handle() const { return handle_; }

  /// Waits for a request, at most `patience`. True once one has come.
  [[nodiscard]] bool raised_within(std::chrono::milliseconds patience) const;

 private:
  std::intptr_t handle_ = -1;
};

}  // namespace share_data
