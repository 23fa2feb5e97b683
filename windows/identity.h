// Who a copy is: a process, named so that no later process can be taken for it.
#pragma once

#include <windows.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "handle.h"

namespace share_data {

/// One process in one 64-bit word, so that one compare-and-swap can write it: the pid in the upper half, the
/// low 32 bits of its creation time in the lower. A bare pid would not do: the system uses pids again.
///
/// The creation time counts 100 ns since 1601 (GetProcessTimes). The two topmost bits are 0: see table.h.
enum class Identity : std::uint64_t { nobody = 0 };

[[nodiscard]] constexpr std::uint32_t pid_of(Identity identity) {
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(identity) >> 32U);
}

[[nodiscard]] constexpr Identity make_identity(std::uint32_t pid, std::uint64_t creation_time) {
  return Identity{std::uint64_t{pid} << 32U | (creation_time & 0xffff'ffffU)};
}

/// The calling process. Throws Failure where the system does not tell.
[[nodiscard]] Identity own_identity();

/// What OpenProcess has to say of a process.
struct OpenedProcess {
  Handle handle;      ///< signalled as soon as the process is dead; empty where we may not watch it
  bool dead = false;  ///< there is nothing to watch any more
};

/// Opens exactly this process, however often its pid has been used. Any value is safe to ask for.
[[nodiscard]] OpenedProcess open_process(Identity identity);

/// Whether the process runs, or could be running: one that may not be looked at counts as alive.
[[nodiscard]] bool is_alive(Identity identity);

/// When the process was started; empty where the system does not tell.
[[nodiscard]] std::optional<std::chrono::system_clock::time_point> start_of(Identity identity);

/// All processes that we may look at.
[[nodiscard]] std::vector<Identity> running_processes();

}  // namespace share_data
