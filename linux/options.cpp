#include "options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <iostream>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "segment.h"

namespace share_data {
namespace {

constexpr auto description = R"(Counts its own running copies, live, through System V shared memory.

Examples:
  share_data            join the others and show the count until Ctrl+C
  share_data --status   show who is running, without joining
)";

constexpr auto exit_codes = R"(Exit codes:
  0  normal end: Ctrl+C, SIGTERM, terminal closed, --for elapsed
  1  an error of the operating system or of the shared memory
  2  wrong usage
  3  refused, because --max copies are live)";

/// Decimal, or hexadecimal after 0x. 0 is IPC_PRIVATE, a segment that nobody else can find.
std::optional<key_t> parse_key(std::string_view text) {
  const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
  if (hexadecimal) text.remove_prefix(2);
  std::uint32_t key = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, key, hexadecimal ? 16 : 10);
  if (error != std::errc{} || rest != end || key == 0) return std::nullopt;
  return static_cast<key_t>(key);
}

std::string check_key(const std::string& text) {
  return parse_key(text) ? "" : fmt::format("'{}' is no key: 1 to 4294967295, or 0x1 to 0xffffffff", text);
}

std::string check_seconds(const std::string& text) {
  double seconds = 0;
  const bool valid = CLI::detail::lexical_cast(text, seconds) && std::isfinite(seconds) && seconds > 0;
  return valid ? "" : fmt::format("'{}' is no number of seconds above 0", text);
}

std::optional<Color> parse_color(std::string_view text) {
  if (text == "auto") return Color::automatic;
  if (text == "always") return Color::always;
  if (text == "never") return Color::never;
  return std::nullopt;
}

std::string check_color(const std::string& text) {
  return parse_color(text) ? "" : fmt::format("'{}' is not auto, always or never", text);
}

/// Everything the parser writes into.
struct Raw {
  Options options;
  double seconds = 0;
  std::uint32_t max = 0;
  std::string key;
  std::string color = "auto";
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
  app.add_option("--key", raw.key, "Count under this key, decimal or 0x... (default: one for each user)")
      ->type_name("KEY")
      ->check(CLI::Validator(check_key, ""));
}

Options finish(const Raw& raw, const CLI::App& app) {
  if (raw.options.status && app.count("--for") + app.count("--max") > 0) {
    throw CLI::ValidationError("--status only looks; --for and --max are for copies that join");
  }
  Options options = raw.options;
  options.style.color = parse_color(raw.color).value_or(Color::automatic);
  if (app.count("--for") > 0) options.run_for = std::chrono::duration<double>{raw.seconds};
  if (app.count("--max") > 0) options.max = raw.max;
  options.key = raw.key.empty() ? default_key() : parse_key(raw.key).value_or(default_key());
  return options;
}

}  // namespace

std::variant<Options, ExitCode> parse_options(int argc, char** argv) {
  CLI::App app{description, "share_data"};
  Raw raw;
  declare(app, raw);
  app.footer(exit_codes);
  app.failure_message([](const CLI::App*, const CLI::Error& error) {
    return std::string{"share_data: "} + error.what() + "\nshare_data: see --help\n";
  });
  app.set_version_flag("--version", "share_data " SHARE_DATA_VERSION, "Print the version and exit");
  try {
    app.parse(argc, argv);
    return finish(raw, app);
  } catch (const CLI::ParseError& error) {
    // The library's own codes start at 100; its code for --help and --version is 0.
    return app.exit(error, std::cout, std::cerr) == 0 ? success : wrong_usage;
  }
}

}  // namespace share_data
