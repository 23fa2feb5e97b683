// A system call that failed, and what a person can do about it.
#pragma once

#include <string_view>

#include "failure.h"

namespace share_data {

/// For the call `call`, made for `object`, which failed with `error`: errno, or what GetLastError() says.
[[nodiscard]] Failure failed_call(int error, std::string_view call, std::string_view object = {});

}  // namespace share_data
