// What went wrong, and what a person can do about it.
#pragma once

#include <windows.h>

#include <string>
#include <system_error>
#include <utility>

namespace share_data {

/// A failed system call, or memory that is not ours to use. `what()` names the call or the fact; `hint()`
/// says what people can do, and may be empty.
class Failure : public std::runtime_error {
 public:
  explicit Failure(const std::string& what, std::string hint = {}) : std::runtime_error(what), hint_(std::move(hint)) {}

  /// For a system call that failed with `error`, which is what GetLastError() said.
  Failure(DWORD error, const std::string& call, std::string hint = {})
      : Failure(call + ": " + std::system_category().message(static_cast<int>(error)), std::move(hint)) {}

  [[nodiscard]] const std::string& hint() const { return hint_; }

 private:
  std::string hint_;
};

}  // namespace share_data
