#include "copies.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <ios>
#include <iterator>
#include <regex>
#include <utility>

namespace share_data::test {

void start(Copies& copies, std::size_t count, const std::filesystem::path& exe, const Start& how) {
  for (std::size_t i = 0; i < count; ++i) copies.emplace_back(exe, how);
}

bool all_show(const Copies& copies, unsigned live) {
  return eventually(
      [&] { return std::ranges::all_of(copies, [&](const Copy& copy) { return copy.shows() == live; }); });
}

std::string all_output(const Copies& copies) {
  std::string all;
  for (const Copy& copy : copies) all += copy.output() + copy.notes();
  return all;
}

bool says(const Copy& copy, const std::string& text) { return copy.output().find(text) != std::string::npos; }

bool matches(const std::string& text, const std::string& pattern) {
  return std::regex_search(text, std::regex{pattern});
}

std::string output_of(const Folder& folder, std::vector<std::wstring> arguments) {
  const Copy copy{folder.exe(), std::move(arguments)};
  EXPECT_EQ(copy.exit_code(), DWORD{0}) << copy.notes();
  std::string seen;
  (void)eventually([&] { return !(seen = copy.output()).empty(); });
  return seen;
}

void unshare_section(const std::filesystem::path& file_name) {
  std::fstream file{file_name, std::ios::in | std::ios::out | std::ios::binary};
  std::string headers(4096, '\0');
  file.read(headers.data(), static_cast<std::streamsize>(headers.size()));
  const auto section = headers.find(std::string{"SHARED\0\0", 8});
  ASSERT_NE(section, std::string::npos);
  const auto flags = section + offsetof(IMAGE_SECTION_HEADER, Characteristics) + 3;  // 0x10000000 is in byte 3
  ASSERT_NE(headers[flags] & 0x10, 0);
  file.seekp(static_cast<std::streamoff>(flags));
  file.put(static_cast<char>(headers[flags] & ~0x10));
}

void replace_in(const std::filesystem::path& file_name, const std::string& from, const std::string& to) {
  std::fstream file{file_name, std::ios::in | std::ios::out | std::ios::binary};
  const std::string bytes{std::istreambuf_iterator<char>{file}, {}};
  const auto at = bytes.find(from);
  ASSERT_NE(at, std::string::npos);
  file.seekp(static_cast<std::streamoff>(at));
  file << to;
}

}  // namespace share_data::test
