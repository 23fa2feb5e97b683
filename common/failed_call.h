// A system call that failed, and what a person can do about it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "failure.h"

namespace share_data {

/// For the call `call`, made for `object`, which failed with `error` (errno).
[[nodiscard]] Failure failed_call(int error, std::string_view call, std::string_view object = {});

/// The login name, or `uid 1234` if /etc/passwd has none.
[[nodiscard]] std::string user_name(std::uint32_t uid);

}  // namespace share_data
