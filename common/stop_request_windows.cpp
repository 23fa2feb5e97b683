#include <windows.h>

#include <algorithm>
#include <ratio>

#include "failure.h"
#include "stop_request.h"

namespace share_data::stop_request {
namespace {

using FileTime = std::chrono::duration<std::uint64_t, std::ratio<1, 10'000'000>>;  // the unit of FILETIME, since 1601
constexpr FileTime start_of_1970{116'444'736'000'000'000};

/// The system gives a process about 5 s after its window was closed.
constexpr DWORD time_to_leave_ms = 4500;

void request() {
  record();
  SetEvent(event());
}

/// Runs on a thread of its own that the system starts
/// (https://learn.microsoft.com/windows/console/handlerroutine).
BOOL WINAPI on_request(DWORD kind) {
  request();
  if (kind == CTRL_C_EVENT || kind == CTRL_BREAK_EVENT) return TRUE;
  // The window was closed, the user logs off, or the system shuts down: as soon as this returns, the process
  // is ended. So do not return; the process ends, and this thread with it, when the main thread has left.
  Sleep(time_to_leave_ms);
  return TRUE;
}

void CALLBACK on_time_up(PTP_CALLBACK_INSTANCE /*instance*/, void* /*context*/, PTP_TIMER /*timer*/) { request(); }

void check(bool succeeded, const char* call) {
  if (!succeeded) throw failed_call(static_cast<int>(GetLastError()), call);
}

/// With an absolute due time, the time that the system sleeps counts
/// (https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-setthreadpooltimer).
void start_timer(Duration time) {
  TP_TIMER* const timer = CreateThreadpoolTimer(on_time_up, nullptr, nullptr);
  check(timer != nullptr, "CreateThreadpoolTimer");
  const Duration end = std::chrono::system_clock::now().time_since_epoch() + std::min(time, longest);
  const std::uint64_t due = (start_of_1970 + std::chrono::ceil<FileTime>(end)).count();
  FILETIME due_time{.dwLowDateTime = static_cast<DWORD>(due), .dwHighDateTime = static_cast<DWORD>(due >> 32U)};
  SetThreadpoolTimer(timer, &due_time, 0, 0);
}

}  // namespace

void start_catching(std::optional<Duration> after) {
  check(event() != nullptr, "CreateEvent");
  // A process started in a group of its own, as `start /b` does, ignores Ctrl+C, and so do those that it
  // starts. The first call ends that (https://learn.microsoft.com/windows/console/setconsolectrlhandler).
  check(SetConsoleCtrlHandler(nullptr, FALSE) != 0 && SetConsoleCtrlHandler(on_request, TRUE) != 0,
        "SetConsoleCtrlHandler");
  if (after) start_timer(*after);
}

void* event() {
  static void* const event = CreateEventW(nullptr, TRUE, FALSE, nullptr);
  return event;
}

}  // namespace share_data::stop_request
