#include "identity.h"

#include <psapi.h>

#include "failure.h"

namespace share_data {
namespace {

constexpr std::uint32_t pid_limit = 1U << 30U;  // the two bits above it belong to the table

/// In 100 ns since 1601.
std::optional<std::uint64_t> creation_time(HANDLE process) {
  FILETIME created{};
  FILETIME exited{};
  FILETIME kernel{};
  FILETIME user{};
  if (GetProcessTimes(process, &created, &exited, &kernel, &user) == 0) return std::nullopt;
  return std::uint64_t{created.dwHighDateTime} << 32U | created.dwLowDateTime;
}

}  // namespace

Identity own_identity() {
  const std::uint32_t pid = GetCurrentProcessId();
  const auto created = creation_time(GetCurrentProcess());
  if (!created) throw Failure(GetLastError(), "GetProcessTimes");
  if (pid >= pid_limit) throw Failure("this process has a pid that does not fit into the table");
  return make_identity(pid, *created);
}

// The order is what makes it safe. The handle keeps pointing at whatever had the pid when it was opened. If
// that process was created when ours was, and has not ended, it is ours
// (https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-openprocess).
OpenedProcess open_process(Identity identity) {
  const DWORD pid = pid_of(identity);
  if (pid == 0 || pid >= pid_limit) return {.handle = Handle{}, .dead = true};
  Handle process{OpenProcess(SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid)};
  if (!process) {
    // Only this error says that there is no such process. Access denied says that there is one.
    return {.handle = Handle{}, .dead = GetLastError() == ERROR_INVALID_PARAMETER};
  }
  const auto created = creation_time(process.get());
  const bool other = created && make_identity(pid, *created) != identity;
  if (other || WaitForSingleObject(process.get(), 0) == WAIT_OBJECT_0) return {.handle = Handle{}, .dead = true};
  return {.handle = std::move(process), .dead = false};
}

bool is_alive(Identity identity) { return !open_process(identity).dead; }

std::optional<std::chrono::system_clock::time_point> start_of(Identity identity) {
  using Ticks = std::chrono::duration<std::int64_t, std::ratio<1, 10'000'000>>;
  constexpr Ticks unix_epoch = std::chrono::seconds{11'644'473'600};  // in time since 1601
  const OpenedProcess process = open_process(identity);
  const auto created = creation_time(process.handle.get());
  if (!created) return std::nullopt;
  const Ticks since_1970 = Ticks{static_cast<std::int64_t>(*created)} - unix_epoch;
  return std::chrono::system_clock::time_point{
      std::chrono::duration_cast<std::chrono::system_clock::duration>(since_1970)};
}

std::vector<Identity> running_processes() {
  std::vector<DWORD> pids(1024);
  DWORD bytes = 0;
  for (;;) {
    const auto capacity = static_cast<DWORD>(pids.size() * sizeof(DWORD));
    if (EnumProcesses(pids.data(), capacity, &bytes) == 0) bytes = 0;
    if (bytes < capacity) break;  // else there may be more
    pids.resize(2 * pids.size());
  }
  pids.resize(bytes / sizeof(DWORD));
  std::vector<Identity> found;
  for (const DWORD pid : pids) {
    const Handle process{OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid)};
    if (const auto created = creation_time(process.get())) found.push_back(make_identity(pid, *created));
  }
  return found;
}

}  // namespace share_data
