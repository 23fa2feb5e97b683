// The command line.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <variant>

#include "log.h"

namespace share_data {

enum ExitCode : int { success = 0, system_failure = 1, wrong_usage = 2, refused = 3 };

struct Options {
  LogStyle style;
  std::optional<std::chrono::duration<double>> run_for;  ///< leave after this long
  std::optional<std::uint32_t> max;                      ///< join only if fewer than this many are live
  bool status = false;                                   ///< only look
  key_t key = 0;
};

/// Reads the command line. Where that is all there is to do (--help, --version, wrong usage), it has been
/// done, and what comes back is the exit code.
[[nodiscard]] std::variant<Options, ExitCode> parse_options(int argc, char** argv);

}  // namespace share_data
