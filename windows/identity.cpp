#include "identity.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "failure.h"

namespace share_data {
namespace {

/// In 100 ns since 1601.
std::optional<std::uint64_t> creation_time(HANDLE process) {
  FILETIME created{};
  FILETIME unused{};
  if (GetProcessTimes(process, &created, &unused, &unused, &unused) == 0) return std::nullopt;
  return std::bit_cast<std::uint64_t>(created);
}

/// Not even this is certain: a program that guards this one, or a restricted token, may forbid it.
bool may_open_itself() { return Handle{OpenProcess(rights_to_watch, FALSE, GetCurrentProcessId())} != nullptr; }

}  // namespace

Identity own_identity(bool others_may_open) {
  const std::uint32_t pid = GetCurrentProcessId();
  const auto created = creation_time(GetCurrentProcess());
  if (!created) throw failed_call(static_cast<int>(GetLastError()), "GetProcessTimes");
  if (pid >> (identity_bits - 32) != 0) throw Failure("this process has a pid that does not fit into the table");
  return make_identity(pid, *created, !others_may_open || !may_open_itself());
}

// The order is what makes it safe. The handle keeps pointing at whatever had the pid when it was opened. If that
// process was created when ours was, and has not ended, it is ours.
//
// If we may not open it, it is another process, to which the system has given the pid again: copies let everybody open
// them, and one that cannot says so in its word. But if we may not even open ourselves, this says nothing.
OpenedProcess open_process(Identity identity) {
  const DWORD pid = pid_of(identity);
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

std::optional<double> seconds_since_start_of(Identity identity) {
  const auto created = creation_time(open_process(identity).handle.get());
  if (!created) return std::nullopt;
  FILETIME now{};
  GetSystemTimeAsFileTime(&now);
  const auto end = std::max(std::bit_cast<std::uint64_t>(now), *created);  // the clock may have been set back
  return static_cast<double>(end - *created) / 1e7;
}

}  // namespace share_data
