// share_data for Linux: counts its own running copies through System V shared memory.
//
// Read lesson/exact.cpp first: the idea is there, in 90 lines. What it lacks is here. Read on in this order:
//   table.h         what lies in the shared memory, what each word means, and the words that the code uses
//   robust_list.h   how the kernel comes to mark the four words of a slot, even if memory is short
//   table.cpp       how a copy looks, notifies the others, frees marked slots, and says that it leaves
//   wait.cpp        what a copy waits for if there are more than 127, on old kernels, and with Ctrl+C
//   membership.h    how a copy joins and leaves; membership.cpp has --max, ipcrm, and lost marks
//   segment.h       shmget and its family; memory of other programs is refused
//   display.h       who came, who left and who was killed; and --status, which only looks
//   reader_watch.h  how a copy that sleeps learns that nobody reads its lines any more
//   options.h       the command line
#include <unistd.h>

#include <variant>

#include "display.h"
#include "failure.h"
#include "log.h"
#include "membership.h"
#include "options.h"
#include "reader_watch.h"
#include "stop_request.h"

namespace share_data {
namespace {

/// Joins the other copies, shows the count until there is a request to leave, and leaves.
void run(const Options& options, const Log& log) {
  check_standard_descriptors();
  stop_request::start_catching(options.run_for);
  Membership membership{static_cast<key_t>(options.key), log};
  if (!membership.join(options.max)) return;
  Display display{membership, log};
  ReaderWatch reader;
  for (;;) {
    const View& view = membership.look();
    display.show(view);
    if (stop_request::made()) break;
    reader.start();
    wait_for_change(membership.table(), view, membership.slot(), log);
    reader.stop();
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
    const auto parsed = parse_options(argc, argv);
    if (const auto* exit_code = std::get_if<ExitCode>(&parsed)) return *exit_code;
    const auto& options = *std::get_if<Options>(&parsed);
    const Log log{options.style, pid};
    options.status ? print_status(static_cast<key_t>(options.key), log) : run(options, log);
    return success;
  } catch (...) {
    return report_exception(errors);
  }
}
