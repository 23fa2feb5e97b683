// The command line.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "failure.h"
#include "log.h"
#include "segment.h"
#include "stop_request.h"

namespace share_data {

struct Options {
  LogStyle style;
  std::optional<stop_request::Duration> run_for;  ///< leave after so many seconds
  std::optional<std::uint32_t> max;               ///< join only if fewer than this many are live
  bool status = false;                            ///< only look
  std::uint32_t key = static_cast<std::uint32_t>(default_key());
};

/// Reads the command line. If that is all there is to do (--help, --version, wrong usage), it has been done, and
/// what comes back is the exit code.
[[nodiscard]] std::variant<Options, ExitCode> parse_options(int argc, char** argv);

}  // namespace share_data
