#include "lookout.h"

#include <cstdlib>
#include <system_error>

#include <fmt/format.h>

#include "failure.h"

namespace share_data {
namespace {

/// How long the last line may take where nobody reads it.
constexpr std::chrono::seconds last_line_patience{3};

}  // namespace

Lookout::Lookout(Membership& membership, Watch& watch, Display& display, const Deadline& deadline, const Log& log)
    : membership_(membership), watch_(watch), display_(display), deadline_(deadline), log_(log) {
  try {
    thread_ = std::thread{[this] { run(); }};
  } catch (const std::system_error& error) {
    throw Failure(error.code().value(), "pthread_create",
                  "see `ulimit -u` and the limit of tasks in the control group");
  }
}

Lookout::~Lookout() {
  if (thread_.joinable()) thread_.join();
}

void Lookout::join() {
  thread_.join();
  if (failure_) std::rethrow_exception(failure_);
}

void Lookout::run() {
  std::optional<Remains> remains;
  try {
    look_after_the_others();
    if (display_.ended()) return;
    remains = membership_.leave();
  } catch (...) {
    failure_ = std::current_exception();
  }
  // Without destructors: the others know already, and what is left is a line that nobody takes, and a thread that
  // cannot be woken from it.
  if (!display_.finish(remains, last_line_patience)) std::_Exit(EXIT_SUCCESS);
}

/// Until there is a reason to leave, or the display has ended by itself.
void Lookout::look_after_the_others() {
  bool said_that_we_sweep = false;
  while (!display_.ended()) {
    const Watch::Outcome outcome = watch_.wait(deadline_);
    // All who watch the dead one see it die. The sweep, though, has buried what nobody else had.
    for (const Identity dead : outcome.dead) membership_.table().mourn(dead);
    if (outcome.sweep && membership_.table().bury_dead()) membership_.table().announce();
    if (outcome.stop || outcome.deadline) return;
    if (watch_.sweep_reason() != 0 && !said_that_we_sweep) {
      log_.note(
          fmt::format("cannot watch other processes (pidfd_open: {}); looking for the dead every {} ms instead",
                      std::system_category().message(watch_.sweep_reason()), Watch::sweep_interval.count()));
      said_that_we_sweep = true;
    }
  }
}

}  // namespace share_data
