#include "options.h"

#include <CLI/CLI.hpp>

#include "common_options.h"

namespace share_data {

std::variant<Options, ExitCode> parse_options(int argc, char** argv) {
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
