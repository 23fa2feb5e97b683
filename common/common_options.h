// The options of the log and of the request to stop. Each program adds its own. All of it is inline, because the parser
// takes seconds to compile: only the file that reads the command line includes it.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "log.h"
#include "stop_request.h"

namespace share_data {

/// --for: when to leave.
inline void add_for_option(CLI::App& app, std::optional<StopRequest::Duration>& run_for) {
  const auto check = [](const std::string& text) -> std::string {
    double seconds = 0;
    const bool valid = CLI::detail::lexical_cast(text, seconds) && std::isfinite(seconds) && seconds > 0;
    return valid ? "" : fmt::format("'{}' is not a number of seconds above 0", text);
  };
  const auto set = [&](double seconds) { run_for = StopRequest::Duration{seconds}; };
  app.add_option_function<double>("--for", set, "Leave after so many seconds; fractions are allowed")
      ->type_name("SECONDS")
      ->check(CLI::Validator(check, ""));
}

/// Replaces one of `words` by its place among them, which is the value of an enumeration as the parser takes it.
/// `list` is the words for people.
[[nodiscard]] inline CLI::Validator one_of(std::vector<std::string> words, const std::string& list) {
  const auto replace = [words = std::move(words), list](std::string& word) -> std::string {
    const auto found = std::ranges::find(words, word);
    if (found == words.end()) return fmt::format("'{}' is not {}", word, list);
    word = std::to_string(found - words.begin());
    return "";
  };
  return {replace, ""};
}

/// --json, --color, --quiet, --explain.
inline void add_log_options(CLI::App& app, LogStyle& style) {
  app.add_flag("--json", style.json, "Print JSON Lines instead of text");
  app.add_option("--color", style.color, "Colour the lines: auto, always or never (default auto)")
      ->type_name("WHEN")
      ->transform(one_of({"auto", "always", "never"}, "auto, always or never"));
  app.add_flag("--quiet", style.quiet, "No notes on standard error");
  app.add_flag("--explain", style.explain, "Show what happens in the shared memory, step by step");
}

}  // namespace share_data
