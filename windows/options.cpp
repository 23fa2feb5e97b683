#include "options.h"

#include <CLI/CLI.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "common_options.h"
#include "win32.h"

namespace share_data {
namespace {

/// The system's limit for the name of an object is MAX_PATH, the namespaces included.
std::string check_name(const std::string& text) {
  if (text.empty() || text.find('\\') != std::string::npos) {
    return fmt::format("'{}' is no name: one or more characters, none of them \\", text);
  }
  return to_utf16(text).size() > 200 ? "longer than 200 characters" : "";
}

void declare(CLI::App& app, Options& options) {
  add_common_options(app, options);
  app.add_option("--via", options.via,
                 "Share through the section of this .exe file, or through that of a DLL\n"
                 "or a mapping, for any .exe: section, dll or mapping (default section)")
      ->type_name("WAY")
      ->transform(one_of({"section", "dll", "mapping"}));
  app.add_option("--dll", options.dll, "The DLL, with --via dll (default share_data_table.dll beside this .exe file)")
      ->type_name("PATH");
  app.add_option("--name", options.name, "Name of the mapping, with --via mapping (default share_data)")
      ->type_name("NAME")
      ->check(CLI::Validator(check_name, ""));
}

/// Throws if they do not go together.
void check(const CLI::App& app, const Options& options) {
  if (app.count("--name") > 0 && options.via != Via::mapping) {
    throw CLI::ValidationError("--name names a mapping: add --via mapping");
  }
  if (app.count("--dll") > 0 && (options.via != Via::dll || options.dll.empty())) {
    throw CLI::ValidationError("--dll is the path of a DLL: add --via dll");
  }
}

}  // namespace

std::variant<Options, ExitCode> parse_options(std::vector<std::string> arguments) {
  CLI::App app{"", "share_data"};
  Options options;
  declare(app, options);
  add_texts(app, "a shared section of its .exe file", "Ctrl+C, window closed");
  std::ranges::reverse(arguments);  // the order that the parser takes a vector in
  try {
    app.parse(std::move(arguments));
    check(app, options);
    return options;
  } catch (const CLI::ParseError& error) {
    std::ostringstream text;
    if (app.exit(error, text, text) != 0) {  // 0 after --help and --version
      write_standard_error(text.str());
      return wrong_usage;
    }
    (void)write_standard_output(text.str());
    return success;
  }
}

}  // namespace share_data
