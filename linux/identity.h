// Who a copy is: a process, named so that no later process can be taken for it.
#pragma once

#include <cstdint>

namespace share_data {

/// One process in one 64-bit word, so that one compare-and-swap can write it: the pid in the upper half, the
/// low 32 bits of its start time in the lower. A bare pid would not do: the system uses pids again.
///
/// The start time is in clock ticks since boot, field 22 of /proc/PID/stat (proc_pid_stat(5)).
enum class Identity : std::uint64_t { nobody = 0 };

[[nodiscard]] constexpr std::uint32_t pid_of(Identity identity) {
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(identity) >> 32U);
}

[[nodiscard]] constexpr Identity make_identity(std::uint32_t pid, std::uint64_t start_ticks) {
  return Identity{std::uint64_t{pid} << 32U | (start_ticks & 0xffff'ffffU)};
}

/// The calling process. Throws Failure where /proc does not show it: not mounted, or of another PID
/// namespace.
[[nodiscard]] Identity own_identity();

/// The PID namespace (lower half) and the time namespace (upper half) of the calling process, by inode. Pids
/// mean nothing in another PID namespace, start times nothing in another time namespace (namespaces(7)).
[[nodiscard]] std::uint64_t own_namespaces();

/// Whether the process runs, or could be running: one that may not be looked at counts as alive. A zombie is
/// dead. Any value is safe to ask for, and no signal is ever sent.
[[nodiscard]] bool is_alive(Identity identity);

/// For how many seconds the process has been running; 0 where that cannot be told.
[[nodiscard]] double running_seconds(Identity identity);

/// What pidfd_open(2) has to say of a process.
struct Pidfd {
  int fd = -1;        ///< readable as soon as the process is dead; the caller closes it
  bool dead = false;  ///< there is nothing to watch any more
  int error = 0;      ///< errno where the system does not let us watch
};

/// Opens a descriptor for exactly this process, however often its pid has been used.
[[nodiscard]] Pidfd open_pidfd(Identity identity);

}  // namespace share_data
