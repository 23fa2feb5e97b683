// share_data for Linux: counts its own running copies through System V shared memory.
//
// Read lesson/exact.cpp first: the idea is there, in 90 lines. What it lacks is here. Read on in this order:
//   table.h         what lies in the shared memory, what each word means, and the words that the code uses
//   robust_list.h   how the kernel comes to mark the four words of a slot, even if memory is short
//   table.cpp       how a copy looks, notifies the others, frees marked slots, and says that it leaves
//   wait.cpp        what a copy waits for if there are more than 127, on old kernels, and if its reader has gone
//   membership.h    how a copy joins and leaves; membership.cpp has --max, ipcrm, and lost marks
//   segment.h       shmget and its family; memory of other programs is refused
//   display.h       who came, who left and who was killed; and --status, which only looks
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>

#include "common_options.h"
#include "display.h"
#include "failure.h"
#include "log.h"
#include "membership.h"
#include "segment.h"
#include "stop_request.h"

namespace share_data {
namespace {

struct Options {
  LogStyle style;
  std::optional<stop_request::Duration> run_for;  ///< leave after so many seconds
  std::optional<std::uint32_t> max;               ///< join only if fewer than this many are live
  bool status = false;                            ///< only look
  std::uint32_t key = static_cast<std::uint32_t>(default_key());
};

/// Joins the other copies, shows the count until there is a request to leave, and leaves.
void run(const Options& options, const Log& log) {
  check_standard_descriptors();
  stop_request::start_catching(options.run_for);
  Membership membership{static_cast<key_t>(options.key), log};
  if (!membership.join(options.max)) return;
  Display display{membership, log};
  for (;;) {
    const View& view = membership.look();
    display.show(view);
    if (stop_request::made()) break;
    wait_for_change(membership.table(), view, membership.slot(), log);
  }
  display.print(membership.leave());
}

}  // namespace
}  // namespace share_data

int main(int argc, char** argv) {
  using namespace share_data;
  const auto pid = static_cast<std::uint32_t>(getpid());
  const Log errors{{.color = Color::never}, pid};
  try {
    CLI::App app{"", "share_data"};
    Options options;
    add_common_options(app, options);
    app.add_option("--key", options.key, "Count under this key, decimal or 0x... (default: one for each user)")
        ->type_name("KEY")
        ->transform(whole_number());
    add_texts(app, "System V shared memory", "Ctrl+C, SIGTERM, terminal closed");
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return app.exit(error) == 0 ? success : wrong_usage;  // 0 after --help and --version
    }
    const Log log{options.style, pid};
    options.status ? print_status(static_cast<key_t>(options.key), log) : run(options, log);
    return success;
  } catch (...) {
    return report_exception(errors);
  }
}
