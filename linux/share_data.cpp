// share_data for Linux: counts its own running copies through System V shared memory.
//
// Try it: start it in two terminals, with --explain, and watch the first one. Then read on, in this order. Why the
// count survives kill -9 is in the first three, 250 lines; who tells whom is in the next one.
//   table.h         what lies in the shared memory, and what each word means
//   robust_list.h   how the kernel comes to answer for a copy
//   table.cpp       how a copy looks, tells the others, and frees what the kernel has marked
//   wait.cpp        what a copy sleeps on, and who wakes it
//   membership.h    how a copy joins and leaves; membership.cpp has the claim of a slot
//   segment.h       shmget and its family
//   display.h       how a change becomes a line, and --status, which only looks
//   options.h       the command line
#include <unistd.h>

#include <variant>

#include "display.h"
#include "failure.h"
#include "log.h"
#include "membership.h"
#include "options.h"
#include "stop_request.h"
#include "wait.h"

namespace share_data {
namespace {

/// Joins the other copies, shows the count until there is a request to leave, and leaves.
void run(const Options& options, const Log& log) {
  check_standard_descriptors();
  const StopRequest stop{options.run_for};
  Membership membership{static_cast<key_t>(options.key), log};
  membership.join(options.max);
  Display display{membership, log};
  for (;;) {
    const View& view = membership.look();
    display.show(view);
    if (StopRequest::made()) break;
    wait_for_change(membership.table(), view, membership.slot(), log);
  }
  display.print(membership.leave());
}

}  // namespace
}  // namespace share_data

int main(int argc, char** argv) {
  using namespace share_data;
  const auto parsed = parse_options(argc, argv);
  if (const auto* exit_code = std::get_if<ExitCode>(&parsed)) return *exit_code;
  const auto& options = *std::get_if<Options>(&parsed);
  const Log log{options.style, static_cast<std::uint32_t>(gettid())};
  try {
    options.status ? print_status(static_cast<key_t>(options.key), log) : run(options, log);
    return success;
  } catch (...) {
    return report_exception(log);
  }
}
