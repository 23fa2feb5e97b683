#include "options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

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

std::string check_seconds(const std::string& text) {
  double seconds = 0;
  const bool valid = CLI::detail::lexical_cast(text, seconds) && std::isfinite(seconds) && seconds > 0;
  return valid ? "" : "'" + text + "' is no number of seconds above 0";
}

/// Replaces the word by the value of the Color, as the parser takes it.
std::string check_color(std::string& word) {
  static const std::vector<std::string> words{"auto", "always", "never"};
  const auto found = std::ranges::find(words, word);
  if (found == words.end()) return "'" + word + "' is not auto, always or never";
  word = std::to_string(found - words.begin());
  return "";
}

void declare(CLI::App& app, Options& options) {
  const auto from_1 = CLI::Range(1U, std::numeric_limits<std::uint32_t>::max()).description("");
  const auto set_time = [&](double seconds) { options.run_for = StopRequest::Duration{seconds}; };
  app.add_option_function<double>("--for", set_time, "Leave after so many seconds; fractions are allowed")
      ->type_name("SECONDS")
      ->check(CLI::Validator(check_seconds, ""));
  app.add_option("--max", options.max, "Join only if fewer than N copies are live")->type_name("N")->check(from_1);
  app.add_flag("--status", options.status, "Show the count and who is running; join nothing, change nothing");
  app.add_flag("--json", options.style.json, "Print JSON Lines instead of text");
  app.add_option("--color", options.style.color, "Colour the lines: auto, always or never (default auto)")
      ->type_name("WHEN")
      ->transform(CLI::Validator(check_color, ""));
  app.add_flag("--quiet", options.style.quiet, "No notes on standard error");
  app.add_flag("--explain", options.style.explain, "Show what happens in the shared memory, step by step");
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
