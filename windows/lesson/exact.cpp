// Counts the running copies of this program, 64 at most, and stays right after TerminateProcess. Compile it with
//   cl /std:c++20 /EHsc windows\lesson\exact.cpp
//   x86_64-w64-mingw32-g++-posix -std=c++20 -O2 -static windows/lesson/exact.cpp -o exact.exe
// Start exact.exe in several consoles. Then kill one of the copies, say 4250: taskkill /f /pid 4250
// counter.cpp goes wrong because a killed copy never reaches its `--`. Here a copy has nothing to do in order to leave:
// its pid is in the shared memory, and every other copy waits for the end of the process with this pid. Not handled: a
// pid that is used again after a copy was killed before anybody saw it; copies that may not open each other's process.
#include <windows.h>
#include <cstdio>
#include <string>
#include <vector>

// The shared memory: a slot for each copy, with its pid; 0 is free. The count is not stored. The slots are in a section
// of the program's file with the flags read, write, shared: all processes that run this file have the same slots.
#if defined(_MSC_VER) || defined(__clang__)
#pragma data_seg("SHARED")
volatile LONG slots[MAXIMUM_WAIT_OBJECTS] = {0};  // 64, because one call waits for that many handles
#pragma data_seg()
#pragma comment(linker, "/SECTION:SHARED,RWS")
#else  // GCC ignores these pragmas, and has an attribute instead.
volatile LONG slots[MAXIMUM_WAIT_OBJECTS] __attribute__((section("SHARED"), shared)) = {0};
#endif

[[noreturn]] void fail(const char* what, DWORD error) {
  std::fprintf(stderr, "exact: %s (error %lu)\n", what, error);
  ExitProcess(1);
}

// Each copy has an event, which wakes it. Whoever reads the pid of a copy knows the name of its event.
std::wstring event_name(LONG pid) { return L"Local\\share_data_exact-" + std::to_wstring(pid); }

// Takes a free slot by compare-and-swap: of two copies that try the same slot, one succeeds. Then wakes all copies, so
// that they look. A copy that has no event has ended. If we are killed before all are awake: whoever has looked in the
// meantime has opened our process and will see its end; the others have never counted us.
void join(LONG self) {
  for (auto& slot : slots) InterlockedCompareExchange(&slot, 0, self);  // left by a killed copy that had our pid
  for (int own = 0; InterlockedCompareExchange(&slots[own], self, 0) != 0;) {
    if (++own == MAXIMUM_WAIT_OBJECTS) fail("the table is full: 64 copies are running", ERROR_NOT_ENOUGH_QUOTA);
  }
  for (const LONG pid : slots) {
    HANDLE event = OpenEventW(EVENT_MODIFY_STATE, FALSE, event_name(pid).c_str());
    if (event == nullptr && GetLastError() != ERROR_FILE_NOT_FOUND) fail("OpenEvent", GetLastError());
    if (event != nullptr && !(SetEvent(event) && CloseHandle(event))) fail("SetEvent", GetLastError());
  }
}

// Behind our event, which is handles[0], puts the process of each other copy that runs. So there is one handle for each
// running copy. The system signals a process when it ends; then we free its slot, unless another copy has done so.
void look(LONG self, std::vector<HANDLE>& handles) {
  const std::vector<HANDLE> old{handles.begin() + 1, handles.end()};
  handles.resize(1);
  for (auto& slot : slots) {
    const LONG pid = slot;
    if (pid == 0 || pid == self) continue;
    HANDLE process = OpenProcess(SYNCHRONIZE, FALSE, static_cast<DWORD>(pid));
    if (process == nullptr && GetLastError() != ERROR_INVALID_PARAMETER) fail("OpenProcess", GetLastError());
    const bool runs = process != nullptr && WaitForSingleObject(process, 0) == WAIT_TIMEOUT;
    if (runs) handles.push_back(process);
    if (!runs) InterlockedCompareExchange(&slot, 0, pid);
    if (!runs && process != nullptr) CloseHandle(process);
  }
  for (HANDLE process : old) CloseHandle(process);  // only now: while a handle is open, its pid is not used again
}

int main() {
  const LONG self = static_cast<LONG>(GetCurrentProcessId());
  // The event first, the pid second: whoever finds the pid finds the event. It stays set until we wait for it.
  std::vector<HANDLE> handles{CreateEventW(nullptr, FALSE, FALSE, event_name(self).c_str())};
  if (handles[0] == nullptr) fail("CreateEvent", GetLastError());
  look(self, handles);  // frees the slots of copies that were killed before anybody saw them
  join(self);
  for (std::size_t shown = 0;; shown = handles.size()) {
    look(self, handles);
    if (handles.size() != shown) std::printf("[%ld] %zu live\n", self, handles.size());
    std::fflush(stdout);
    // Sleep until a newcomer sets our event or a process ends. If that has happened since the look, go on at once.
    const DWORD result = WaitForMultipleObjects(static_cast<DWORD>(handles.size()), handles.data(), FALSE, INFINITE);
    if (result == WAIT_FAILED) fail("WaitForMultipleObjects", GetLastError());
  }
}
