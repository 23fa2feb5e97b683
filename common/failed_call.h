// A system call that failed, and what a person can do about it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "failure.h"

namespace share_data {

/// For the call `call`, made for `object`, which failed with `error`: errno, or what GetLastError() says.
[[nodiscard]] Failure failed_call(int error, std::string_view call, std::string_view object = {});

/// What a person can do about a call that failed. The first hint that fits is the one given.
struct Hint {
  std::string_view call;  ///< part of its name
  int error;              ///< 0: any
  const char* text;
};

// The part of each platform: failed_call_linux.cpp, failed_call_windows.cpp.

[[nodiscard]] std::span<const Hint> hints_for_calls();

/// What the system says about `error`.
[[nodiscard]] std::string system_message(int error);

}  // namespace share_data
