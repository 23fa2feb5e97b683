// What went wrong, and what a person can do about it.
#pragma once

#include <stdexcept>
#include <string>
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

/// In a catch block: says what was thrown. A reader of standard output who has had enough is no failure.
[[nodiscard]] ExitCode report_exception(const Log& log);

}  // namespace share_data
