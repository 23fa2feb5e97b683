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
/// ends the process. If the clock is set meanwhile, `after` is as much longer or shorter.
void start_catching(std::optional<Duration> after = std::nullopt);

[[nodiscard]] bool made();

/// True from 3 s after the request on: whatever has not been read by then is given up.
[[nodiscard]] bool out_of_patience();

/// 0, and 1 once a request has come. On Linux a futex for this process alone: a request interrupts its wait,
/// and any other system call, every 10 ms.
[[nodiscard]] const std::atomic<std::uint32_t>& word();

/// On Windows the HANDLE of an event that is set once a request has come, on Linux null.
[[nodiscard]] void* event();

}  // namespace share_data::stop_request
