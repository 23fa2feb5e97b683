// share_data for Linux: counts its own running copies through System V shared memory.
//
// Try it: start it in two terminals and watch the first one. Then read on, in this order:
//   share_data.cpp  what a copy does from start to end (this file)
//   options.h       the command line
//   table.h         what lies in the shared memory
//   segment.h       shmget and its family; hints.h has what people can do about its errors
//   membership.h    how a copy joins and leaves, whatever happens meanwhile
//   display.h       how a change becomes a line within microseconds
//   watch.h         how it learns that another one was killed
//   lookout.h       the thread that waits for that, and for the reasons to leave
//   status.h        --status, which only looks
//   identity.h      why a pid is not enough
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include <fmt/format.h>

#include "display.h"
#include "failure.h"
#include "identity.h"
#include "log.h"
#include "lookout.h"
#include "membership.h"
#include "options.h"
#include "status.h"
#include "stop_signals.h"
#include "watch.h"

namespace share_data {
namespace {

/// Without these three, the first descriptors we open would get their numbers, and our lines would go there.
void check_standard_descriptors() {
  if (fcntl(STDOUT_FILENO, F_GETFD) < 0) throw Failure(errno, "standard output");
  for (const int fd : {STDIN_FILENO, STDERR_FILENO}) {
    if (fcntl(fd, F_GETFD) < 0) open("/dev/null", O_RDWR);  // takes the lowest free number, which is this one
  }
}

Deadline deadline_of(const Options& options) {
  using std::chrono::steady_clock;
  if (!options.run_for) return std::nullopt;
  constexpr std::chrono::duration<double> for_ever = std::chrono::hours{24 * 365 * 100};
  return steady_clock::now() +
         std::chrono::duration_cast<steady_clock::duration>(std::min(*options.run_for, for_ever));
}

/// A reader who has gone away, `head -1` or a closed terminal, has had enough; anything else is an error.
ExitCode report_output(const std::error_code& error, const Log& log) {
  if (!error || error == std::errc::broken_pipe || error == std::errc::io_error) return success;
  log.error(fmt::format("standard output: {}", error.message()));
  return system_failure;
}

/// Shows the count until there is a reason to end, and leaves. False if the reason is that the segment was removed:
/// then it is time to join again.
bool show_count(Membership& membership, const Deadline& deadline, const StopSignals& stop, const Log& log,
                Slots& shown) {
  Watch watch{static_cast<int>(stop.wait_handle())};
  Display display{membership, watch, log, shown};
  Lookout lookout{membership, watch, display, deadline, log};
  const Display::End end = display.run();
  lookout.join();
  return end == Display::End::told_to;
}

ExitCode run(const Options& options, const Log& log) {
  check_standard_descriptors();
  const StopSignals stop;
  const Deadline deadline = deadline_of(options);
  Applicant applicant{.identity = own_identity(), .key = options.key, .max = options.max};
  Slots shown;  // what the lines so far have told people, in whichever segment that was
  auto membership = std::make_unique<Membership>(applicant, stop);
  for (;;) {
    log.note(fmt::format("{} {}", membership->segment().created() ? "created" : "attached to",
                         membership->segment().describe(applicant.key)));
    if (show_count(*membership, deadline, stop, log, shown)) return success;
    log.note(fmt::format("segment {} was removed by somebody; joining again", membership->segment().id()));
    applicant.max.reset();                                       // a copy that has been admitted stays
    membership = std::make_unique<Membership>(applicant, stop);  // joins there before it leaves here
  }
}

ExitCode run_guarded(const Options& options, const Log& log) {
  try {
    if (options.status) return report_output(print_status(options.key, log), log);
    return run(options, log);
  } catch (const Refused& refusal) {
    log.error(fmt::format("not joining: {} live, --max {}", refusal.live, options.max.value_or(0)));
    return refused;
  } catch (const Interrupted&) {
    return success;
  } catch (const OutputFailed& failure) {
    return report_output(failure.code(), log);
  } catch (const Failure& failure) {
    log.error(failure.what());
    if (!failure.hint().empty()) log.error(failure.hint());
  } catch (const std::exception& error) {
    log.error(error.what());
  }
  return system_failure;
}

}  // namespace
}  // namespace share_data

int main(int argc, char** argv) {
  using namespace share_data;
  const auto parsed = parse_options(argc, argv);
  if (const auto* exit_code = std::get_if<ExitCode>(&parsed)) return *exit_code;
  const auto& options = *std::get_if<Options>(&parsed);
  const Log log{options.style, static_cast<std::uint32_t>(getpid())};
  return run_guarded(options, log);
}
