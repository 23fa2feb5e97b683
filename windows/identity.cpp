#include "identity.h"

#include <ratio>
#include <utility>

#include "failure.h"

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

/// Not even this is certain: a program that guards this one, or a restricted token, may forbid it.
bool may_open_itself() { return Handle{OpenProcess(rights_to_watch, FALSE, GetCurrentProcessId())} != nullptr; }

}  // namespace

Identity own_identity(bool others_may_open) {
  const std::uint32_t pid = GetCurrentProcessId();
  const auto created = creation_time(GetCurrentProcess());
  if (!created) throw failed_call(static_cast<int>(GetLastError()), "GetProcessTimes");
  if (pid >= pid_limit) throw Failure("this process has a pid that does not fit into the table");
  return make_identity(pid, *created, !others_may_open || !may_open_itself());
}

std::optional<Identity> identity_of_pid(std::uint32_t pid) {
  const Handle process{OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid)};
  const auto created = creation_time(process.get());
  return created ? std::optional{make_identity(pid, *created)} : std::nullopt;
}

// The order is what makes it safe. The handle keeps pointing at whatever had the pid when it was opened. If that
// process was created when ours was, and has not ended, it is ours.
//
// If we may not open it, it is another process, to which the system has given the pid again: copies let everybody open
// them, and one that cannot says so in its word. But if we may not even open ourselves, this says nothing. OpenProcess
// takes a pid that is no multiple of 4 for the one below, and pid_of() is always a multiple
// (https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-openprocess).
OpenedProcess open_process(Identity identity) {
  constexpr std::uint64_t never_set = guarded_bit << 1U;
  const DWORD pid = pid_of(identity);
  if (pid == 0 || pid >= pid_limit || (static_cast<std::uint64_t>(identity) & never_set) != 0) {
    return {.handle = Handle{}, .has_ended = true};
  }
  Handle process{OpenProcess(rights_to_watch, FALSE, pid)};
  if (!process) {
    const bool refused = GetLastError() != ERROR_INVALID_PARAMETER;  // this one: there is no such process
    return {.handle = Handle{}, .has_ended = !(refused && (is_guarded(identity) || !may_open_itself()))};
  }
  const auto created = creation_time(process.get());
  const bool other = created && make_identity(pid, *created, is_guarded(identity)) != identity;
  if (other || WaitForSingleObject(process.get(), 0) == WAIT_OBJECT_0) return {.handle = Handle{}, .has_ended = true};
  return {.handle = std::move(process), .has_ended = false};
}

bool is_alive(Identity identity) { return !open_process(identity).has_ended; }

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
