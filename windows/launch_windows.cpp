// Starts a program several times, each in a console window of its own, side by side in a grid:
//   launch_windows N PROGRAM [ARGUMENT...]
//
// scripts\launch_n.cmd uses it where it is there, since `start` cannot say where a window goes. It is no part of
// share_data.exe. Where Windows Terminal opens the windows, it places them itself.
#include <windows.h>

#include <shlwapi.h>

#include <chrono>
#include <cstdio>
#include <cwchar>
#include <string>
#include <vector>

#include "grid.h"

namespace share_data {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds patience{5};
constexpr DWORD look_again_after_ms = 10;

/// The screen without the task bar.
Area work_area() {
  RECT area{};
  SystemParametersInfoW(SPI_GETWORKAREA, 0, &area, 0);
  return {.left = area.left, .top = area.top, .width = area.right - area.left, .height = area.bottom - area.top};
}

/// Starts the command line in a new window. Says so and returns no handles if that fails.
PROCESS_INFORMATION start(std::wstring command, std::wstring title) {
  STARTUPINFOW info{};
  info.cb = sizeof(info);
  info.lpTitle = title.data();
  PROCESS_INFORMATION process{};
  if (CreateProcessW(nullptr, command.data(), nullptr, nullptr, FALSE, CREATE_NEW_CONSOLE, nullptr, nullptr, &info,
                     &process) == 0) {
    (void)std::fprintf(stderr, "launch_windows: CreateProcess: error %lu\n", GetLastError());
  }
  return process;
}

/// Moves the window of a process. To ask for it, one has to enter the console, which is there a moment after
/// the process (https://learn.microsoft.com/windows/console/attachconsole).
void place(const PROCESS_INFORMATION& process, const Area& area, steady_clock::time_point deadline) {
  FreeConsole();
  while (AttachConsole(process.dwProcessId) == 0) {
    const bool ended = WaitForSingleObject(process.hProcess, look_again_after_ms) == WAIT_OBJECT_0;
    if (ended || steady_clock::now() > deadline) return;
  }
  SetWindowPos(GetConsoleWindow(), HWND_TOP, area.left, area.top, area.width, area.height, SWP_NOACTIVATE);
}

/// Returns the exit code.
int launch(int count, const std::wstring& command) {
  std::vector<PROCESS_INFORMATION> processes;  // their handles are closed when this program ends
  for (int i = 1; i <= count; ++i) {
    processes.push_back(start(command, L"share_data " + std::to_wstring(i) + L" of " + std::to_wstring(count)));
    if (processes.back().hProcess == nullptr) return 1;
  }
  const auto deadline = steady_clock::now() + patience;
  for (int i = 0; i < count; ++i) {
    place(processes[static_cast<std::size_t>(i)], cell(work_area(), count, i), deadline);
  }
  return 0;
}

}  // namespace
}  // namespace share_data

int main() {
  // What follows the number is a command line as it stands, so that no quotes are lost.
  wchar_t* command = nullptr;
  const long count = std::wcstol(PathGetArgsW(GetCommandLineW()), &command, 10);
  const bool is_number = count >= 1 && count <= 100 && *command == L' ';
  while (*command == L' ') ++command;
  if (is_number && *command != L'\0') return share_data::launch(static_cast<int>(count), command);
  (void)std::fputs("usage: launch_windows N PROGRAM [ARGUMENT...]\n", stderr);
  return 2;
}
