// Counts the running copies of this program as the article does: `++` at the start, `--` at the end. Compile it with
//   cl /std:c++20 /EHsc windows\lesson\counter.cpp
//   x86_64-w64-mingw32-g++-posix -std=c++20 -O2 -static windows/lesson/counter.cpp -o counter.exe
// Start counter.exe in several consoles, and press Ctrl+C in one: right. Kill another one: taskkill /f /pid 4250
// The killed copy never reaches its `--`. From then on the number is too high. exact.cpp does better.
#include <windows.h>
#include <atomic>
#include <cstdio>

// A section of the program's file with the flags read, write, shared (RWS): all processes that run this file have the
// same variable. Without the flag "shared", each has its own.
#if defined(_MSC_VER) || defined(__clang__)
#pragma data_seg("SHARED")
int g_instance_count = 0;
#pragma data_seg()
#pragma comment(linker, "/SECTION:SHARED,RWS")
#else  // GCC ignores these pragmas, and has an attribute instead.
int g_instance_count __attribute__((section("SHARED"), shared)) = 0;
#endif

// The system calls this at Ctrl+C and when the window is closed. FALSE: now end the process, as usual.
BOOL WINAPI leave(DWORD /*event*/) {
  --std::atomic_ref{g_instance_count};
  return FALSE;
}

int main() {
  if (SetConsoleCtrlHandler(leave, TRUE) == 0) {
    std::fprintf(stderr, "counter: SetConsoleCtrlHandler (error %lu)\n", GetLastError());
    return 1;
  }
  const std::atomic_ref count{g_instance_count};  // of copies that start at once, none loses its `++`
  ++count;
  for (int shown = 0;; Sleep(10)) {  // looks again and again
    const int now = count;
    if (now != shown) std::printf("[%lu] %d live\n", GetCurrentProcessId(), now);
    std::fflush(stdout);
    shown = now;
  }
}
