// Windows speaks UTF-16, everything else here UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace share_data {

/// What is no valid Unicode becomes U+FFFD, the replacement character.
[[nodiscard]] std::wstring to_utf16(std::string_view utf8);
[[nodiscard]] std::string to_utf8(std::wstring_view utf16);

}  // namespace share_data
