// The command line.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "log.h"

namespace share_data {

enum ExitCode : int { success = 0, system_failure = 1, wrong_usage = 2, refused = 3 };

/// Where the table lies.
enum class Via { section, mapping };

struct Options {
  LogStyle style;
  std::optional<std::chrono::duration<double>> run_for;  ///< leave after this long
  std::optional<std::uint32_t> max;                      ///< join only if fewer than this many are live
  bool status = false;                                   ///< only look
  Via via = Via::section;
  std::string name = "share_data";  ///< of the mapping, UTF-8
};

/// Reads the arguments, which are UTF-8 and do not begin with the program's name. Where that is all there is to do (--help, --version, wrong usage), it has been done,
/// and what comes back is the exit code.
[[nodiscard]] std::variant<Options, ExitCode> parse_options(std::vector<std::string> arguments);

}  // namespace share_data
