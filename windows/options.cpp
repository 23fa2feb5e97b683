#include "options.h"

#include <CLI/CLI.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <sstream>
#include <utility>

#include "common_options.h"
#include "win32.h"

namespace share_data {
namespace {

constexpr auto description =
    R"(Counts its own running copies, live, through a shared section of its .exe file.

Examples:
  share_data            join the others and show the count until Ctrl+C
  share_data --status   show who is running, without joining
  share_data --explain  show what happens in the shared memory, too
)";

constexpr auto exit_codes = R"(Exit codes:
  0  normal end: Ctrl+C, window closed, --for elapsed
  1  an error of the operating system or of the shared memory
  2  wrong usage
  3  refused, because --max copies are live)";

/// The system's limit for the name of an object is MAX_PATH, the namespaces included.
constexpr std::size_t longest_name = 200;

std::string check_name(const std::string& text) {
  if (text.empty() || text.find('\\') != std::string::npos) {
    return fmt::format("'{}' is no name: one or more characters, none of them \\", text);
  }
  return to_utf16(text).size() > longest_name ? "longer than 200 characters" : "";
}

void declare(CLI::App& app, Options& options) {
  const auto from_1 = CLI::Range(1U, std::numeric_limits<std::uint32_t>::max()).description("");
  add_for_option(app, options.run_for);
  app.add_option("--max", options.max, "Join only if fewer than N copies are live")->type_name("N")->check(from_1);
  app.add_flag("--status", options.status, "Show the count and who is running; join nothing, change nothing");
  add_log_options(app, options.style);
  app.add_option("--via", options.via,
                 "Share through the section of this .exe file, or through that of a DLL\n"
                 "or a mapping, for any .exe: section, dll or mapping (default section)")
      ->type_name("WAY")
      ->transform(one_of({"section", "dll", "mapping"}, "section, dll or mapping"));
  app.add_option("--dll", options.dll, "The DLL, with --via dll (default share_data_table.dll beside this .exe file)")
      ->type_name("PATH");
  app.add_option("--name", options.name, "Name of the mapping, with --via mapping (default share_data)")
      ->type_name("NAME")
      ->check(CLI::Validator(check_name, ""));
}

/// Throws if options do not go together.
void check(const CLI::App& app, const Options& options) {
  if (options.status && (options.run_for || options.max)) {
    throw CLI::ValidationError("--status only looks; --for and --max are for copies that join");
  }
  if (options.status && options.style.json && options.style.explain) {
    throw CLI::ValidationError("--status --explain is text for people; it does not go with --json");
  }
  if (app.count("--name") > 0 && options.via != Via::mapping) {
    throw CLI::ValidationError("--name names a mapping: add --via mapping");
  }
  if (app.count("--dll") > 0 && (options.via != Via::dll || options.dll.empty())) {
    throw CLI::ValidationError("--dll is the path of a DLL: add --via dll");
  }
}

}  // namespace

std::variant<Options, ExitCode> parse_options(std::vector<std::string> arguments) {
  CLI::App app{description, "share_data"};
  Options options;
  declare(app, options);
  app.footer(exit_codes);
  app.failure_message([](const CLI::App*, const CLI::Error& error) {
    return std::string{"share_data: "} + error.what() + "\nshare_data: see --help\n";
  });
  app.set_version_flag("--version", "share_data " SHARE_DATA_VERSION, "Print the version and exit");
  std::ranges::reverse(arguments);  // the order that the parser takes a vector in
  try {
    app.parse(std::move(arguments));
    check(app, options);
    return options;
  } catch (const CLI::ParseError& error) {
    std::ostringstream output;
    std::ostringstream errors;
    // The library's own codes start at 100; its code for --help and --version is 0.
    const bool answered = app.exit(error, output, errors) == 0;
    (void)write_standard_output(output.str());
    if (!answered) write_standard_error(errors.str());
    return answered ? success : wrong_usage;
  }
}

}  // namespace share_data
