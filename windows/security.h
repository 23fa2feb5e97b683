// Who may use what: copies of other users, elevated ones and confined ones in the same session count together.
#pragma once

#include <windows.h>

#include <memory>

#include "log.h"

namespace share_data {

struct LocalFreed {
  void operator()(void* memory) const { LocalFree(memory); }
};

/// A security descriptor for a new object that everybody may use with the rights `mask`: all users, the restricted
/// processes of app containers, and those of low integrity.
class ForEverybody {
 public:
  explicit ForEverybody(DWORD mask);

  [[nodiscard]] SECURITY_ATTRIBUTES* attributes() { return &attributes_; }

 private:
  std::unique_ptr<void, LocalFreed> descriptor_;
  SECURITY_ATTRIBUTES attributes_;
};

/// Lets everybody wait for the end of this process and ask when it was started, and nothing else. Without it, a copy of
/// another user would not learn that this one was killed.
void let_everybody_watch(const Log& log);

}  // namespace share_data
