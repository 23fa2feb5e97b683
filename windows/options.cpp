#include "options.h"

#include <CLI/CLI.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <sstream>
#include <string_view>
#include <utility>

#include "unicode.h"

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

constexpr std::array<std::pair<std::string_view, Color>, 3> colors{
    {{"auto", Color::automatic}, {"always", Color::always}, {"never", Color::never}}};
constexpr std::array<std::pair<std::string_view, Via>, 3> ways{
    {{"section", Via::section}, {"dll", Via::dll}, {"mapping", Via::mapping}}};

/// What `word` stands for.
template <typename Value, std::size_t count>
std::optional<Value> find(const std::array<std::pair<std::string_view, Value>, count>& words, std::string_view word) {
  const auto found = std::ranges::find(words, word, &std::pair<std::string_view, Value>::first);
  return found == words.end() ? std::nullopt : std::optional{found->second};
}

std::string check_name(const std::string& text) {
  if (text.empty() || text.find('\\') != std::string::npos)
    return fmt::format("'{}' is no name: one or more characters, none of them \\", text);
  return to_utf16(text).size() > longest_name ? "longer than 200 characters" : "";
}

std::string check_seconds(const std::string& text) {
  double seconds = 0;
  const bool valid = CLI::detail::lexical_cast(text, seconds) && std::isfinite(seconds) && seconds > 0;
  return valid ? "" : fmt::format("'{}' is no number of seconds above 0", text);
}

std::string check_color(const std::string& text) {
  return find(colors, text) ? "" : fmt::format("'{}' is not auto, always or never", text);
}

std::string check_via(const std::string& text) {
  return find(ways, text) ? "" : fmt::format("'{}' is not section, dll or mapping", text);
}

/// Everything the parser writes into.
struct Raw {
  Options options;
  double seconds = 0;
  std::uint32_t max = 0;
  std::string color = "auto";
  std::string via = "section";
};

void declare(CLI::App& app, Raw& raw) {
  app.add_option("--for", raw.seconds, "Leave after so many seconds; fractions are allowed")
      ->type_name("SECONDS")
      ->check(CLI::Validator(check_seconds, ""));
  app.add_option("--max", raw.max, "Join only if fewer than N copies are live")
      ->type_name("N")
      ->check(CLI::Range(1U, std::numeric_limits<std::uint32_t>::max()).description(""));
  app.add_flag("--status", raw.options.status, "Show the count and who is running; join nothing, change nothing");
  app.add_flag("--json", raw.options.style.json, "Print JSON Lines instead of text");
  app.add_option("--color", raw.color, "Colour the lines: auto, always or never (default auto)")
      ->type_name("WHEN")
      ->check(CLI::Validator(check_color, ""));
  app.add_flag("--quiet", raw.options.style.quiet, "No notes on standard error");
  app.add_flag("--explain", raw.options.style.explain, "Show what happens in the shared memory, step by step");
  app.add_option("--via", raw.via,
                 "Share through the section of this .exe file, or through that of a DLL\n"
                 "or a mapping, for any .exe: section, dll or mapping (default section)")
      ->type_name("WAY")
      ->check(CLI::Validator(check_via, ""));
  app.add_option("--dll", raw.options.dll,
                 "The DLL, with --via dll (default share_data_table.dll beside this .exe file)")
      ->type_name("PATH");
  app.add_option("--name", raw.options.name, "Name of the mapping, with --via mapping (default share_data)")
      ->type_name("NAME")
      ->check(CLI::Validator(check_name, ""));
}

Options finish(const Raw& raw, const CLI::App& app) {
  if (raw.options.status && app.count("--for") + app.count("--max") > 0) {
    throw CLI::ValidationError("--status only looks; --for and --max are for copies that join");
  }
  if (raw.options.status && raw.options.style.json && raw.options.style.explain) {
    throw CLI::ValidationError("--status --explain is text for people; it does not go with --json");
  }
  Options options = raw.options;
  options.style.color = find(colors, raw.color).value_or(Color::automatic);
  options.via = find(ways, raw.via).value_or(Via::section);
  if (app.count("--name") > 0 && options.via != Via::mapping) {
    throw CLI::ValidationError("--name names a mapping: add --via mapping");
  }
  if (app.count("--dll") > 0 && (options.via != Via::dll || options.dll.empty())) {
    throw CLI::ValidationError("--dll is the path of a DLL: add --via dll");
  }
  if (app.count("--for") > 0) options.run_for = std::chrono::duration<double>{raw.seconds};
  if (app.count("--max") > 0) options.max = raw.max;
  return options;
}

}  // namespace

std::variant<Options, ExitCode> parse_options(std::vector<std::string> arguments) {
  CLI::App app{description, "share_data"};
  Raw raw;
  declare(app, raw);
  app.footer(exit_codes);
  app.failure_message([](const CLI::App*, const CLI::Error& error) {
    return std::string{"share_data: "} + error.what() + "\nshare_data: see --help\n";
  });
  app.set_version_flag("--version", "share_data " SHARE_DATA_VERSION, "Print the version and exit");
  std::ranges::reverse(arguments);  // the order that the parser takes a vector in
  try {
    app.parse(std::move(arguments));
    return finish(raw, app);
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
