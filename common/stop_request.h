// Everything that asks a program to leave, as one request that a wait can wait for.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

namespace share_data {

/// Catches every request to leave for as long as it lives. Once one has come, it stays. One object at a time.
///
/// Linux: SIGINT, SIGTERM and SIGQUIT, even if they were inherited as ignored, because a shell does that to what it
/// starts with `&`; SIGHUP, unless it was inherited as ignored, because nohup(1) does that. SIGPIPE is ignored: a
/// reader who goes away is an error code. Make the object before any thread.
/// Windows: Ctrl+C, Ctrl+Break, and closing the window, logging off and shutting down, for which the system waits a
/// few seconds.
class StopRequest {
 public:
  using Duration = std::chrono::duration<double>;

  /// With `after`, a request comes by itself after so many seconds; time asleep (suspend) counts.
  /// Throws Failure if the system refuses.
  explicit StopRequest(std::optional<Duration> after = std::nullopt);
  ~StopRequest();
  StopRequest(const StopRequest&) = delete;
  StopRequest& operator=(const StopRequest&) = delete;
  StopRequest(StopRequest&&) = delete;
  StopRequest& operator=(StopRequest&&) = delete;

  [[nodiscard]] static bool made() { return word() != 0; }

  /// True from 3 s after the request on: whatever has not been read by then is given up.
  [[nodiscard]] static bool out_of_patience();

  /// 0, and 1 once a request has come. On Linux a futex for this process alone: a request interrupts its wait,
  /// and any other system call, every 10 ms.
  [[nodiscard]] static const std::atomic<std::uint32_t>& word();

  /// On Windows the HANDLE of an event that is set once a request has come, on Linux null.
  [[nodiscard]] static void* event();
};

}  // namespace share_data
