// Opens the section object of a name, and shows how many handles of it the system counts.
#include <windows.h>

#include <winternl.h>

#include <cstdio>

int main() {
  HANDLE section = CreateFileMappingW(INVALID_HANDLE_VALUE, nullptr, PAGE_READWRITE, 0, 4096, L"Local\\docs-counts");
  PUBLIC_OBJECT_BASIC_INFORMATION info = {};
  for (ULONG shown = 0;; Sleep(100)) {
    NtQueryObject(section, ObjectBasicInformation, &info, sizeof(info), nullptr);
    if (info.HandleCount == shown) continue;
    shown = info.HandleCount;
    std::printf("[%lu] handles: %lu\n", GetCurrentProcessId(), shown);
    std::fflush(stdout);
  }
}
