// The command line. All of it is inline, as common_options.h is.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <variant>

#include "common_options.h"
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
[[nodiscard]] inline std::variant<Options, ExitCode> parse_options(int argc, char** argv) {
  CLI::App app{"", "share_data"};
  Options options;
  add_common_options(app, options);
  app.add_option("--key", options.key, "Count under this key, decimal or 0x... (default: one for each user)")
      ->type_name("KEY")
      ->transform(whole_number());
  add_texts(app, "System V shared memory", "Ctrl+C, SIGTERM, terminal closed");
  try {
    app.parse(argc, argv);
    return options;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? success : wrong_usage;  // 0 after --help and --version
  }
}

}  // namespace share_data
