// The command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "failure.h"
#include "log.h"
#include "stop_request.h"

namespace share_data {

/// Where the table lies.
enum class Via { section, dll, mapping };

struct Options {
  LogStyle style;
  std::optional<stop_request::Duration> run_for;  ///< leave after so many seconds
  std::optional<std::uint32_t> max;               ///< join only if fewer than this many are live
  bool status = false;                            ///< only look
  Via via = Via::section;
  std::string name = "share_data";  ///< of the mapping, UTF-8
  std::string dll;                  ///< its path, UTF-8; empty: share_data_table.dll beside the program
};

/// Reads the arguments, which are UTF-8 and do not begin with the program's name. Where that is all there is to do
/// (--help, --version, wrong usage), it has been done, and what comes back is the exit code.
[[nodiscard]] std::variant<Options, ExitCode> parse_options(std::vector<std::string> arguments);

}  // namespace share_data
