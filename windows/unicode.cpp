#include "unicode.h"

#include <windows.h>

namespace share_data {

std::wstring to_utf16(std::string_view utf8) {
  const auto convert = [&](wchar_t* out, int capacity) {
    return MultiByteToWideChar(CP_UTF8, 0, utf8.data(), static_cast<int>(utf8.size()), out, capacity);
  };
  std::wstring text(static_cast<std::size_t>(convert(nullptr, 0)), L'\0');
  convert(text.data(), static_cast<int>(text.size()));
  return text;
}

std::string to_utf8(std::wstring_view utf16) {
  const auto convert = [&](char* out, int capacity) {
    return WideCharToMultiByte(CP_UTF8, 0, utf16.data(), static_cast<int>(utf16.size()), out, capacity, nullptr,
                               nullptr);
  };
  std::string text(static_cast<std::size_t>(convert(nullptr, 0)), '\0');
  convert(text.data(), static_cast<int>(text.size()));
  return text;
}

}  // namespace share_data
