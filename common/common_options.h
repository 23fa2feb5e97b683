// The options that both programs take, and the text of --help around them. Each program adds its own. All of it is
// inline, because the parser takes seconds to compile: only the file that reads the command line includes it.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "log.h"
#include "stop_request.h"

namespace share_data {

/// Checks --for.
[[nodiscard]] inline std::string not_seconds(const std::string& text) {
  double seconds = 0;
  const bool valid = CLI::detail::lexical_cast(text, seconds) && std::isfinite(seconds) && seconds > 0;
  return valid ? "" : fmt::format("'{}' is not a number of seconds above 0", text);
}

/// A whole number from 1 to 2^32 - 1, decimal or 0x..., as decimal digits: the parser itself would take 010 for 8.
[[nodiscard]] inline CLI::Validator whole_number() {
  const auto replace = [](std::string& text) -> std::string {
    const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
    const char* const end = text.data() + text.size();
    std::uint32_t number = 0;
    const auto read = std::from_chars(text.data() + (hexadecimal ? 2 : 0), end, number, hexadecimal ? 16 : 10);
    if (read.ec != std::errc{} || read.ptr != end || number == 0) {
      return fmt::format("'{}' is not a number from 1 to 4294967295", text);
    }
    text = std::to_string(number);
    return "";
  };
  return {replace, ""};
}

/// Replaces one of `words` by its place among them, which is the value of an enumeration as the parser takes it.
[[nodiscard]] inline CLI::Validator one_of(std::vector<std::string> words) {
  const auto replace = [places = std::move(words)](std::string& word) -> std::string {
    const auto found = std::ranges::find(places, word);
    if (found == places.end()) return fmt::format("'{}' is none of {}", word, fmt::join(places, ", "));
    word = std::to_string(found - places.begin());
    return "";
  };
  return {replace, ""};
}

/// What both programs take, into the struct of either, and the check that it goes together.
template <typename Options>
void add_common_options(CLI::App& app, Options& options) {
  const auto set_time = [&options](double seconds) { options.run_for = stop_request::Duration{seconds}; };
  app.add_option_function<double>("--for", set_time, "Leave after so many seconds; fractions are allowed")
      ->type_name("SECONDS")
      ->check(CLI::Validator(not_seconds, ""));
  app.add_option("--max", options.max, "Join only if fewer than N copies are live")
      ->type_name("N")
      ->transform(whole_number());
  app.add_flag("--status", options.status, "Show the count and who is running; join nothing, change nothing");
  app.add_flag("--json", options.style.json, "Print JSON Lines instead of text");
  app.add_option("--color", options.style.color, "Colour the lines: auto, always or never (default auto)")
      ->type_name("WHEN")
      ->transform(one_of({"auto", "always", "never"}));
  app.add_flag("--quiet", options.style.quiet, "No notes on standard error");
  app.add_flag("--explain", options.style.explain, "Show what happens in the shared memory, step by step");
  app.final_callback([&options] {
    if (options.status && (options.run_for || options.max)) {
      throw CLI::ValidationError("--status only looks; --for and --max are for copies that join");
    }
    if (options.status && options.style.json && options.style.explain) {
      throw CLI::ValidationError("--status --explain is text for people; it does not go with --json");
    }
  });
}

/// Lays out --help as its texts are written. CLI11 itself would, from version 2.5 on, fill their lines.
struct HelpFormatter : CLI::Formatter {
  std::string make_help(const CLI::App* app, std::string /*name*/, CLI::AppFormatMode mode) const override {
    return fmt::format("{}\nUsage: {} [OPTIONS]\n{}\n{}\n", app->get_description(), app->get_name(),
                       make_groups(app, mode), app->get_footer());
  }
};

/// What --help, --version and errors say besides the options: `memory` is what the copies are counted through, `ends`
/// what ends one in order.
inline void add_texts(CLI::App& app, std::string_view memory, std::string_view ends) {
  app.description(fmt::format(R"(Counts its own running copies, live, through {}.

Examples:
  share_data            join the others and show the count until Ctrl+C
  share_data --status   show who is running, without joining
  share_data --explain  show what happens in the shared memory, too
)",
                              memory));
  app.footer(fmt::format(R"(Exit codes:
  0  normal end: {}, --for elapsed
  1  an error of the operating system or of the shared memory
  2  wrong usage
  3  refused, because --max copies are live)",
                         ends));
  app.formatter(std::make_shared<HelpFormatter>());
  app.failure_message([](const CLI::App*, const CLI::Error& error) {
    const std::string_view name = "share_data: ";
    std::string_view what = error.what();
    if (what.starts_with(name)) what.remove_prefix(name.size());  // CLI11 2.7 names the program in some messages
    return fmt::format("{}{}\n{}see --help\n", name, what, name);
  });
  app.set_version_flag("--version", "share_data " SHARE_DATA_VERSION, "Print the version and exit");
}

}  // namespace share_data
