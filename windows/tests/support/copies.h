// What tests with several copies have in common: to start them, and to wait until they show or say something.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <list>
#include <regex>
#include <string>

#include "copy.h"

namespace share_data::test {

using Copies = std::list<Copy>;

inline void start(Copies& copies, std::size_t count, const std::filesystem::path& exe, const Start& how = {}) {
  for (std::size_t i = 0; i < count; ++i) copies.emplace_back(exe, how);
}

/// The options to share a mapping of this name, and more.
inline Arguments via_mapping(const std::wstring& name, const Arguments& more = {}) {
  Arguments arguments{L"--via", L"mapping", L"--name", name};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

inline bool matches(const std::string& text, const std::string& pattern) {
  return std::regex_search(text, std::regex{pattern});
}

/// Waits until the condition is true of the copy. The text of a failure is what it has written.
template <typename Condition>
testing::AssertionResult wait_for(const Copy& copy, Condition condition) {
  if (eventually([&] { return condition(copy); })) return testing::AssertionSuccess();
  return testing::AssertionFailure() << copy.pid() << ":\n" << copy.output() << copy.notes();
}

/// Waits until the last line of the copy shows `live`.
inline testing::AssertionResult shows(const Copy& copy, unsigned live) {
  return wait_for(copy, [&](const Copy& one) { return one.count() == live; });
}
inline testing::AssertionResult all_show(const Copies& copies, unsigned live) {
  const auto right = [&](const Copy& copy) { return copy.count() == live; };
  if (eventually([&] { return std::ranges::all_of(copies, right); })) return testing::AssertionSuccess();
  auto failure = testing::AssertionFailure();
  for (const Copy& copy : copies) failure << copy.output() << copy.notes();
  return failure;
}

/// Waits until what the copy has written to standard output, or to standard error, matches a regular expression.
inline testing::AssertionResult says(const Copy& copy, const std::string& pattern) {
  return wait_for(copy, [&](const Copy& one) { return matches(one.output(), pattern); });
}
inline testing::AssertionResult notes(const Copy& copy, const std::string& pattern) {
  return wait_for(copy, [&](const Copy& one) { return matches(one.notes(), pattern); });
}

/// What a copy that ends by itself with exit code 0 writes to standard output.
inline std::string output_of(const Folder& folder, const Arguments& arguments) {
  const Copy copy{folder.exe(), arguments};
  EXPECT_EQ(copy.exit_code(), DWORD{0}) << copy.notes();
  (void)eventually([&] { return !copy.output().empty(); });
  return copy.output();
}

}  // namespace share_data::test
