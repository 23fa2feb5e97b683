// share_data for Windows: counts its own running copies through a section of its .exe file that all of them
// share.
//
// Try it: start it in two consoles and watch the first one. Then read on, in this order:
//   share_data.cpp      what a copy does from start to end (this file)
//   options.h           the command line
//   shared_section.h    the shared section, in the two spellings that compilers have for it
//   named_mapping.h     the other way to share memory: CreateFileMapping and MapViewOfFile
//   table.h             what lies in the shared memory
//   membership.h        how a copy joins and leaves, whatever happens meanwhile
//   bell.h              how it wakes the others
//   watch.h             how it waits, and learns that another one was terminated
//   display.h           how a change becomes a line
//   status.h            --status, which only looks
//   identity.h          why a pid is not enough
#include <windows.h>

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <iterator>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "bell.h"
#include "display.h"
#include "failure.h"
#include "identity.h"
#include "log.h"
#include "membership.h"
#include "named_mapping.h"
#include "options.h"
#include "shared_section.h"
#include "status.h"
#include "stop_request.h"
#include "unicode.h"
#include "watch.h"

namespace share_data {
namespace {

/// Shows the count until a request to stop comes, and leaves.
void show_count(Membership& membership, Watch& watch, Display& display) {
  do {
    display.show(membership.look(watch), membership.table().plain);
  } while (watch.wait());
  (void)membership.look(watch);  // so that the last line counts nobody who has just been terminated
  display.show_last(membership.leave());
}

ExitCode run(const Options& options, const Log& log) {
  const StopRequest stop{options.run_for};
  std::optional<NamedMapping> mapping;
  if (options.via == Via::mapping) mapping.emplace(NamedMapping::open_or_create(options.name));
  Table& table = mapping ? mapping->table() : shared_section();
  const Identity self = own_identity();
  const Bell bell{self};
  Membership membership{table, self, options.max};
  log.note(mapping ? mapping->describe() : describe_shared_section());
  if (bell.error() != ERROR_SUCCESS) {
    log.note(fmt::format("somebody has taken the name of our event ({}); looking at the table every {} ms instead",
                         std::system_category().message(static_cast<int>(bell.error())), Watch::look_interval.count()));
  }
  Watch watch{bell.handle(), bell.error() == ERROR_SUCCESS};
  Display display{log, self};
  show_count(membership, watch, display);
  return success;
}

ExitCode show_status(const Options& options, const Log& log) {
  if (options.via == Via::section) {
    print_status(&shared_section(), log);
  } else {
    const auto mapping = NamedMapping::open_existing(options.name);
    print_status(mapping ? &mapping->table() : nullptr, log);
  }
  return success;
}

ExitCode run_guarded(const Options& options, const Log& log) {
  try {
    return options.status ? show_status(options, log) : run(options, log);
  } catch (const Refused& refusal) {
    log.error(fmt::format("not joining: {} live, --max {}", refusal.live, options.max.value_or(0)));
    return refused;
  } catch (const Interrupted&) {
    return success;
  } catch (const std::system_error& error) {
    if (reader_is_gone(error.code())) return success;
    log.error(error.what());
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

// The C library hands over the arguments as UTF-16. CommandLineToArgvW would do so too, but it is in shell32, which
// loads user32, and a process with user32 does not get CTRL_LOGOFF_EVENT and CTRL_SHUTDOWN_EVENT
// (https://learn.microsoft.com/windows/console/handlerroutine).
extern "C" int wmain(int count, wchar_t** words) {
  using namespace share_data;
  std::vector<std::string> arguments;
  std::transform(words + 1, words + count, std::back_inserter(arguments), to_utf8);
  const auto parsed = parse_options(std::move(arguments));
  if (const auto* exit_code = std::get_if<ExitCode>(&parsed)) return *exit_code;
  const auto& options = *std::get_if<Options>(&parsed);
  const Log log{options.style, GetCurrentProcessId()};
  return run_guarded(options, log);
}
