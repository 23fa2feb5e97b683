// The request to leave, whatever it comes from, so that a wait can wait for it. A process has one: a signal handler,
// and a console handler on Windows, reach nothing but what belongs to the whole process.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

namespace share_data::stop_request {

using Duration = std::chrono::duration<double>;

/// From now on, requests to leave are caught. Once one has come, it stays. The handlers stay, too: the program is about
/// to end, and a second Ctrl+C must not kill it in its last steps. With `after`, a request comes by itself after so
/// many seconds; time asleep (suspend) counts. Throws Failure if the system refuses.
///
/// Linux: SIGINT, SIGTERM and SIGQUIT, even if they were inherited as ignored, because a shell does that to what it
/// starts with `&`; SIGHUP, unless it was inherited as ignored, because nohup(1) does that. SIGPIPE is ignored: a
/// reader who goes away is an error code. Call it before there is any thread.
/// Windows: Ctrl+C, Ctrl+Break, and closing the window, logging off and shutting down, if the system says so before it
/// ends the process. If the clock is set meanwhile, that shifts the end.
void start_catching(std::optional<Duration> after = std::nullopt);

/// 0, and 1 once a request has come: what the handlers write. On Linux a futex for this process alone: a request
/// interrupts its wait, and any other system call, every 10 ms.
inline std::atomic<std::uint32_t> requested{0};
inline std::atomic<std::chrono::steady_clock::rep> requested_at{0};
inline void record() {
  if (requested == 0) requested_at = std::chrono::steady_clock::now().time_since_epoch().count();
  requested = 1;
}

[[nodiscard]] inline bool made() { return requested != 0; }

/// True from 3 s after the request on: whatever has not been read by then is given up.
[[nodiscard]] inline bool out_of_patience() {
  using namespace std::chrono;
  return made() && steady_clock::now().time_since_epoch() - steady_clock::duration{requested_at} > seconds{3};
}

inline constexpr Duration longest{100.0 * 365 * 24 * 3600};  ///< what `after` is at most

/// Windows only: the HANDLE of an event that is set once a request has come.
[[nodiscard]] void* event();

}  // namespace share_data::stop_request
