// What the tests with real processes have in common.
#pragma once

#include <cstddef>
#include <filesystem>
#include <list>
#include <string>
#include <vector>

#include "copy.h"

namespace share_data::test {

using Copies = std::list<Copy>;

void start(Copies& copies, std::size_t count, const std::filesystem::path& exe, const Start& how = {});

/// Waits until the last line of each copy shows `live`.
bool all_show(const Copies& copies, unsigned live);

/// For the message of a test that fails.
std::string all_output(const Copies& copies);

bool says(const Copy& copy, const std::string& text);
bool matches(const std::string& text, const std::string& pattern);

/// What a copy that ends by itself with exit code 0 writes to standard output.
std::string output_of(const Folder& folder, std::vector<std::wstring> arguments);

}  // namespace share_data::test
