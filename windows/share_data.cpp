// share_data for Windows: counts its own running copies through a section of its .exe file that all of them share.
//
// Read lesson/exact.cpp first: the idea is there, in 80 lines. Read on in this order:
//   shared_table.cpp    the shared section, in the two spellings that compilers have for it
//   shared_memory.h     that section in the program itself or in a DLL, and the other way: a named mapping
//   table.h             what lies in the shared memory, and what each word means
//   identity.h          why a pid is not enough
//   wait.h              what a copy sleeps on, how it notifies the others, how it learns that one was killed
//   membership.h        how a copy joins and leaves, whatever happens meanwhile
//   win32.h             handles, text, and how copies of other users, elevated and confined ones count together
//   display.h           how a change becomes a line, and --status, which only looks
//   options.h           the command line
#include <windows.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "display.h"
#include "failure.h"
#include "log.h"
#include "membership.h"
#include "options.h"
#include "shared_memory.h"
#include "stop_request.h"
#include "win32.h"

namespace share_data {
namespace {

[[nodiscard]] SharedMemory open_memory(const Options& options, const Log& log) {
  if (options.via == Via::dll) return section_of_dll(options.dll, log);
  if (options.via == Via::mapping) return open_or_create_mapping(options.name, log);
  return section_of_program(log);
}

/// In an app container the events of the other copies cannot be opened, nor can a mapping of theirs.
void refuse_app_container(const Options& options) {
  if (!is_in_app_container() || (options.status && options.via != Via::mapping)) return;
  throw Failure("in an app container this copy could not count with the others",
                "there, only --status works, and not with --via mapping");
}

/// Joins the other copies, shows the count until there is a request to leave, and leaves.
void run(const Options& options, const Log& log) {
  check_standard_descriptors();
  stop_request::start_catching(options.run_for);
  const SharedMemory memory = open_memory(options, log);
  Membership membership{*memory.table, log};
  if (!membership.join(options.max)) return;
  log.note("{}", memory.description);
  Display display{membership, log};
  for (;;) {
    void* const line = display.show(membership.look());
    if (stop_request::made()) break;
    membership.wait_for_change(line);
  }
  display.print_last(membership.leave());
}

std::optional<SharedMemory> find_memory(const Options& options, const Log& log) {
  return options.via == Via::mapping ? open_existing_mapping(options.name, log) : open_memory(options, log);
}

}  // namespace
}  // namespace share_data

// The C library hands over the arguments as UTF-16. CommandLineToArgvW would do so too, but it is in shell32, which
// loads user32, and a process with user32 gets neither CTRL_LOGOFF_EVENT nor CTRL_SHUTDOWN_EVENT; others may get them
// (https://learn.microsoft.com/windows/console/handlerroutine).
extern "C" int wmain(int count, wchar_t** words) {
  using namespace share_data;
  const Log errors{{.color = Color::never}, GetCurrentProcessId()};
  try {
    std::vector<std::string> arguments;
    for (int i = 1; i < count; ++i) arguments.push_back(to_utf8(words[i]));
    const auto parsed = parse_options(std::move(arguments));
    if (const auto* exit_code = std::get_if<ExitCode>(&parsed)) return *exit_code;
    const auto& options = *std::get_if<Options>(&parsed);
    const Log log{options.style, GetCurrentProcessId()};
    refuse_app_container(options);
    options.status ? print_status(find_memory(options, log), log) : run(options, log);
    return success;
  } catch (...) {
    return report_exception(errors);
  }
}
