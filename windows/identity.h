// Who a copy is: a process, named so that no later process can be taken for it.
#pragma once

#include <windows.h>

#include <chrono>
#include <cstdint>
#include <optional>

#include "win32.h"

namespace share_data {

/// One process in one 64-bit word, so that one compare-and-swap can write it: the pid in the upper half, the low 32
/// bits of its creation time in the lower. A bare pid would not do: the system uses pids again.
///
/// The creation time counts 100 ns since 1601 (GetProcessTimes). The topmost bits are 0: table.h puts its marks there.
enum class Identity : std::uint64_t { nobody = 0 };

inline constexpr unsigned identity_bits = 61;

[[nodiscard]] constexpr std::uint32_t pid_of(Identity identity) {
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(identity) >> 32U);
}

[[nodiscard]] constexpr Identity make_identity(std::uint32_t pid, std::uint64_t creation_time) {
  return Identity{std::uint64_t{pid} << 32U | (creation_time & 0xffff'ffffU)};
}

/// Throws Failure.
[[nodiscard]] Identity own_identity();

/// Empty if there is no such process, or we may not look at it.
[[nodiscard]] std::optional<Identity> identity_of_pid(std::uint32_t pid);

/// What OpenProcess has to say of a process.
struct OpenedProcess {
  Handle handle;      ///< signalled as soon as the process is dead; empty if we may not wait for it
  bool dead = false;  ///< there is nothing to wait for any more
};

/// Opens exactly this process, however often its pid has been used. Any value is safe to ask for.
[[nodiscard]] OpenedProcess open_process(Identity identity);

/// True if the process runs, or could be running: one that we may not look at counts as alive.
[[nodiscard]] bool is_alive(Identity identity);

/// When the process was started; empty if the system does not tell.
[[nodiscard]] std::optional<std::chrono::system_clock::time_point> start_of(Identity identity);

}  // namespace share_data
