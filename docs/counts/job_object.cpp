// Joins the job object of a name, and shows how many processes the system counts in it.
#include <windows.h>

#include <cstdio>

int main() {
  HANDLE job = CreateJobObjectW(nullptr, L"Local\\docs-counts-job");
  if (AssignProcessToJobObject(job, GetCurrentProcess()) == 0) {
    std::printf("AssignProcessToJobObject: error %lu\n", GetLastError());
    return 1;
  }
  JOBOBJECT_BASIC_ACCOUNTING_INFORMATION info = {};
  for (DWORD shown = 0;; Sleep(100)) {
    QueryInformationJobObject(job, JobObjectBasicAccountingInformation, &info, sizeof(info), nullptr);
    if (info.ActiveProcesses == shown) continue;
    shown = info.ActiveProcesses;
    std::printf("[%lu] active: %lu\n", GetCurrentProcessId(), shown);
    std::fflush(stdout);
  }
}
