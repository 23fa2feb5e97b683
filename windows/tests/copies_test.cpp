#include "copies_test.h"

#include <gtest/gtest.h>

#include <algorithm>
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

}  // namespace share_data::test
