#include "failure.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <system_error>

namespace share_data {

Failure failed_call(int error, std::string_view call, std::string_view object) {
  const auto known = hints_for_calls();
  const auto hint = std::ranges::find_if(known, [&](const Hint& h) {
    return call.find(h.call) != std::string_view::npos && (h.error == error || h.error == 0);
  });
  return Failure{fmt::format("{}{}{}: {}", call, object.empty() ? "" : " ", object, system_message(error)),
                 hint == known.end() ? "" : hint->text};
}

ExitCode report_exception(const Log& log) {
  try {
    throw;
  } catch (const Failure& failure) {
    log.error(failure.what());
    if (!failure.hint().empty()) log.error(failure.hint());
    return failure.code();
  } catch (const std::exception& error) {
    const auto* const system = dynamic_cast<const std::system_error*>(&error);
    if (system != nullptr && reader_is_gone(system->code())) return success;
    log.error(error.what());
  }
  return system_failure;
}

}  // namespace share_data
