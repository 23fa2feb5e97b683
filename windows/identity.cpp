#include "identity.h"

#include "failed_call.h"

namespace share_data {
namespace {

constexpr std::uint32_t pid_limit = 1U << (identity_bits - 32);

/// In 100 ns since 1601.
std::optional<std::uint64_t> creation_time(HANDLE process) {
  FILETIME created{};
  FILETIME unused{};
  if (GetProcessTimes(process, &created, &unused, &unused, &unused) == 0) return std::nullopt;
  return std::uint64_t{created.dwHighDateTime} << 32U | created.dwLowDateTime;
}

}  // namespace

Identity own_identity() {
  const std::uint32_t pid = GetCurrentProcessId();
  const auto created = creation_time(GetCurrentProcess());
  if (!created) throw failed_call(static_cast<int>(GetLastError()), "GetProcessTimes");
  if (pid >= pid_limit) throw Failure("this process has a pid that does not fit into the table");
  return make_identity(pid, *created);
}

std::optional<Identity> identity_of_pid(std::uint32_t pid) {
  const Handle process{OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid)};
  const auto created = creation_time(process.get());
  return created ? std::optional{make_identity(pid, *created)} : std::nullopt;
}

// The order is what makes it safe. The handle keeps pointing at whatever had the pid when it was opened. If that
// process was created when ours was, and has not ended, it is ours. OpenProcess would take a pid that is no multiple
// of 4 for the one below
// (https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-openprocess).
OpenedProcess open_process(Identity identity) {
  const DWORD pid = pid_of(identity);
  if (pid == 0 || pid >= pid_limit || pid % 4 != 0) return {.handle = Handle{}, .dead = true};
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
  const auto created = creation_time(open_process(identity).handle.get());
  if (!created) return std::nullopt;
  const Ticks since_1970 = Ticks{static_cast<std::int64_t>(*created)} - unix_epoch;
  return std::chrono::system_clock::time_point{
      std::chrono::duration_cast<std::chrono::system_clock::duration>(since_1970)};
}

}  // namespace share_data
