// Who a copy is: a process, named so that no later process can be taken for it.
#pragma once

#include <windows.h>

#include <cstdint>
#include <optional>

#include "win32.h"

namespace share_data {

/// One process in one 64-bit word, so that one compare-and-swap can write it. A bare pid would not do: the system uses
/// pids again. From the top:
///
///   3 bits   0: table.h puts its marks there
///   27 bits  the pid, without its two lowest bits, which are always 0
///   2 bits   0, and 1 if the process may not be opened (is_guarded)
///   32 bits  the low half of the creation time in 100 ns (GetProcessTimes)
enum class Identity : std::uint64_t { nobody = 0 };

inline constexpr unsigned identity_bits = 61;
inline constexpr std::uint64_t guarded_bit = std::uint64_t{1} << 32U;

[[nodiscard]] constexpr std::uint32_t pid_of(Identity identity) {
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(identity) >> 32U) & ~3U;
}

/// True if the process may not be opened, as its copy found out at its start: security software protects it.
[[nodiscard]] constexpr bool is_guarded(Identity identity) {
  return (static_cast<std::uint64_t>(identity) & guarded_bit) != 0;
}

[[nodiscard]] constexpr Identity make_identity(std::uint32_t pid, std::uint64_t creation_time, bool guarded = false) {
  return Identity{std::uint64_t{pid} << 32U | (guarded ? guarded_bit : 0) | (creation_time & 0xffff'ffffU)};
}

/// `others_may_open` is what let_everybody_watch() has returned. Throws Failure.
[[nodiscard]] Identity own_identity(bool others_may_open = true);

/// What OpenProcess has to say of a process.
struct OpenedProcess {
  Handle handle;           ///< signalled as soon as the process has ended; empty if we may not wait for it
  bool has_ended = false;  ///< there is nothing to wait for any more
};

/// Opens exactly this process, however often its pid has been used. Any value is safe to ask for.
[[nodiscard]] OpenedProcess open_process(Identity identity);

[[nodiscard]] bool is_alive(Identity identity);

/// How long the process has been running; empty if the system does not tell.
[[nodiscard]] std::optional<double> seconds_since_start_of(Identity identity);

}  // namespace share_data
