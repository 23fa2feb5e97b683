#include "unicode.h"

#include <windows.h>

namespace share_data {

std::wstring to_utf16(std::string_view utf8) {
  const int size = static_cast<int>(utf8.size());
  std::wstring text(static_cast<std::size_t>(MultiByteToWideChar(CP_UTF8, 0, utf8.data(), size, nullptr, 0)),
                    L'\0');
  MultiByteToWideChar(CP_UTF8, 0, utf8.data(), size, text.data(), static_cast<int>(text.size()));
  return text;
}

std::string to_utf8(std::wstring_view utf16) {
  const int size = static_cast<int>(utf16.size());
  const auto convert = [&](char* out, int capacity) {
    return WideCharToMultiByte(CP_UTF8, 0, utf16.data(), size, out, capacity, nullptr, nullptr);
  };
  std::string text(static_cast<std::size_t>(convert(nullptr, 0)), '\0');
  convert(text.data(), static_cast<int>(text.size()));
  return text;
}

}  // namespace share_data
