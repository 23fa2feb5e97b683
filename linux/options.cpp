#include "options.h"

#include <CLI/CLI.hpp>
#include <limits>
#include <string>

#include "common_options.h"

namespace share_data {
namespace {

constexpr auto description = R"(Counts its own running copies, live, through System V shared memory.

Examples:
  share_data            join the others and show the count until Ctrl+C
  share_data --status   show who is running, without joining
  share_data --explain  show what happens in the shared memory, too
)";

constexpr auto exit_codes = R"(Exit codes:
  0  normal end: Ctrl+C, SIGTERM, terminal closed, --for elapsed
  1  an error of the operating system or of the shared memory
  2  wrong usage
  3  refused, because --max copies are live)";

void declare(CLI::App& app, Options& options) {
  const auto from_1 = CLI::Range(1U, std::numeric_limits<std::uint32_t>::max()).description("");
  add_for_option(app, options.run_for);
  app.add_option("--max", options.max, "Join only if fewer than N copies are live")->type_name("N")->check(from_1);
  app.add_flag("--status", options.status, "Show the count and who is running; join nothing, change nothing");
  add_log_options(app, options.style);
  app.add_option("--key", options.key, "Count under this key, decimal or 0x... (default: one for each user)")
      ->type_name("KEY")
      ->check(from_1);
}

}  // namespace

std::variant<Options, ExitCode> parse_options(int argc, char** argv) {
  CLI::App app{description, "share_data"};
  Options options;
  declare(app, options);
  app.footer(exit_codes);
  app.failure_message([](const CLI::App*, const CLI::Error& error) {
    return std::string{"share_data: "} + error.what() + "\nshare_data: see --help\n";
  });
  app.final_callback([&] {
    const bool joins = options.run_for || options.max;
    if (options.status && joins) {
      throw CLI::ValidationError("--status only looks; --for and --max are for copies that join");
    }
    if (options.status && options.style.json && options.style.explain) {
      throw CLI::ValidationError("--status --explain is text for people; it does not go with --json");
    }
  });
  app.set_version_flag("--version", "share_data " SHARE_DATA_VERSION, "Print the version and exit");
  try {
    app.parse(argc, argv);
    return options;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? success : wrong_usage;  // 0 after --help and --version
  }
}

}  // namespace share_data
