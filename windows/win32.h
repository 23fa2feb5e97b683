// What Windows hands out and takes: handles; text in UTF-16, where everything else here speaks UTF-8; and who may use
// what, so that copies of other users, elevated and confined ones that one session has started count together.
#pragma once

#include <windows.h>

#include <memory>
#include <string>
#include <string_view>

namespace share_data {

class Log;

struct CloseHandles {
  void operator()(HANDLE handle) const { CloseHandle(handle); }
};

/// Owns a HANDLE. Both values that system calls use for "none" count as none.
class Handle : public std::unique_ptr<void, CloseHandles> {
 public:
  explicit Handle(HANDLE handle = nullptr) : unique_ptr(handle == INVALID_HANDLE_VALUE ? nullptr : handle) {}
};

/// What is no valid Unicode becomes U+FFFD, the replacement character. (to_utf16 is in log.h.)
[[nodiscard]] std::string to_utf8(std::wstring_view utf16);

/// A security descriptor for a new object that everybody may use with the rights `mask`: all users, and processes of
/// low integrity. Null if the system refuses it, which stands for the usual security.
[[nodiscard]] std::shared_ptr<void> for_everybody(DWORD mask);

/// What a copy asks for when it opens the process of another one.
inline constexpr DWORD rights_to_watch = SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION;

/// Lets everybody wait for the end of this process and ask when it was started, and nothing else. Without it, a copy of
/// another user would not learn that this one was killed. False if the system refuses.
bool let_everybody_watch(const Log& log);

/// Whether this process is in an app container. There, named objects are others than outside.
[[nodiscard]] bool is_in_app_container();

}  // namespace share_data
