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

/// Takes the flag "shared" from the section SHARED in the headers of a program file or DLL.
void unshare_section(const std::filesystem::path& file_name);

/// Replaces the first `from` in a file by `to`, which is as long.
void replace_in(const std::filesystem::path& file_name, const std::string& from, const std::string& to);

}  // namespace share_data::test
