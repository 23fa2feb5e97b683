#include <windows.h>

#include <atomic>
#include <system_error>

#include "stop_signals.h"

namespace share_data {
namespace {

/// The system gives a process about 5 s after its window was closed.
constexpr DWORD time_to_leave_ms = 4500;

// The system calls the handler with nothing but the kind of request, so what it needs cannot live in an
// object.
std::atomic<HANDLE> stop_event{nullptr};

/// Runs on a thread of its own that the system starts
/// (https://learn.microsoft.com/windows/console/handlerroutine).
BOOL WINAPI on_request(DWORD kind) {
  SetEvent(stop_event);
  if (kind == CTRL_C_EVENT || kind == CTRL_BREAK_EVENT) return TRUE;
  // The window was closed, the user logs off, or the system shuts down: as soon as this returns, the process
  // is ended. So do not return; the process ends, and this thread with it, when the main thread has left.
  Sleep(time_to_leave_ms);
  return TRUE;
}

[[noreturn]] void throw_last_error(const char* call) {
  throw std::system_error(static_cast<int>(GetLastError()), std::system_category(), call);
}

}  // namespace

StopSignals::StopSignals() : handle_(reinterpret_cast<std::intptr_t>(CreateEventW(nullptr, TRUE, FALSE, nullptr))) {
  if (handle_ == 0) throw_last_error("CreateEvent");
  stop_event = reinterpret_cast<HANDLE>(handle_);
  // A process started in a group of its own, as `start /b` does, ignores Ctrl+C, and so do those that it
  // starts. The first call ends that (https://learn.microsoft.com/windows/console/setconsolectrlhandler).
  if (SetConsoleCtrlHandler(nullptr, FALSE) == 0 || SetConsoleCtrlHandler(on_request, TRUE) == 0) {
    throw_last_error("SetConsoleCtrlHandler");
  }
}

// The handler and its event stay: the process is about to end, and a second Ctrl+C that kills it on its last
// steps would help nobody.
StopSignals::~StopSignals() = default;

bool StopSignals::raised_within(std::chrono::milliseconds patience) const {
  return WaitForSingleObject(reinterpret_cast<HANDLE>(handle_), static_cast<DWORD>(patience.count())) ==
         WAIT_OBJECT_0;
}

}  // namespace share_data
