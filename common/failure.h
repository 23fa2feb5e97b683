// What went wrong, and what a person can do about it.
#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "log.h"

namespace share_data {

enum ExitCode : int { success = 0, system_failure = 1, wrong_usage = 2, refused = 3 };

/// Why a program ends before it should. `what()` names the failed call or the fact; `hint()` says what people can do,
/// and may be empty.
class Failure : public std::runtime_error {
 public:
  explicit Failure(const std::string& what, std::string hint = {}, ExitCode code = system_failure)
      : runtime_error(what), hint_(std::move(hint)), code_(code) {}

  [[nodiscard]] const std::string& hint() const { return hint_; }
  [[nodiscard]] ExitCode code() const { return code_; }

 private:
  std::string hint_;
  ExitCode code_;
};

/// For the system call `call`, made for `object`, which failed with `error`: errno, or what GetLastError() says.
[[nodiscard]] Failure failed_call(int error, std::string_view call, std::string_view object = {});

/// In a catch block: says what was thrown. A reader of standard output who has had enough is no failure.
[[nodiscard]] ExitCode report_exception(const Log& log);

// The part of each platform: failure_linux.cpp, failure_windows.cpp.

/// What a person can do about a call that failed. The first hint that fits is the one given.
struct Hint {
  std::string_view call;  ///< part of its name
  int error;              ///< 0: any
  const char* text;
};

[[nodiscard]] std::span<const Hint> hints_for_calls();

/// What the system says about `error`.
[[nodiscard]] std::string system_message(int error);

}  // namespace share_data
