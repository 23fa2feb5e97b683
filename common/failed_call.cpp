#include "failed_call.h"

#include <fmt/format.h>

#include <algorithm>

namespace share_data {

Failure failed_call(int error, std::string_view call, std::string_view object) {
  const auto known = hints_for_calls();
  const auto hint = std::ranges::find_if(known, [&](const Hint& h) {
    return call.find(h.call) != std::string_view::npos && (h.error == error || h.error == 0);
  });
  return Failure{fmt::format("{}{}{}: {}", call, object.empty() ? "" : " ", object, system_message(error)),
                 hint == known.end() ? "" : hint->text};
}

}  // namespace share_data
