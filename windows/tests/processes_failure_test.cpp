// What is refused, and what the program says of it.
#include <gtest/gtest.h>

#include <windows.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>

#include "copies_test.h"

namespace share_data::test {
namespace {

TEST(Failing, ANameThatAnEventHasIsRefused) {
  const Folder folder;
  const std::wstring name = unique_name();
  const Handle squatter{CreateEventW(nullptr, FALSE, FALSE, (L"Local\\" + name).c_str())};
  for (const wchar_t* more : {L"--quiet", L"--status"}) {
    const Copy copy{folder.exe(), {L"--via", L"mapping", L"--name", name, more}};
    EXPECT_EQ(copy.exit_code(), DWORD{1});
    EXPECT_TRUE(eventually([&] { return matches(copy.notes(), "object of another kind.*--name"); })) << copy.notes();
  }
}

/// Takes the flag "shared" from the section SHARED in the headers of a program file.
void unshare_section(const std::filesystem::path& exe) {
  std::fstream file{exe, std::ios::in | std::ios::out | std::ios::binary};
  std::string headers(4096, '\0');
  file.read(headers.data(), static_cast<std::streamsize>(headers.size()));
  const auto section = headers.find(std::string{"SHARED\0\0", 8});
  ASSERT_NE(section, std::string::npos);
  const auto flags = section + offsetof(IMAGE_SECTION_HEADER, Characteristics) + 3;  // 0x10000000 is in byte 3
  ASSERT_NE(headers[flags] & 0x10, 0);
  file.seekp(static_cast<std::streamoff>(flags));
  file.put(static_cast<char>(headers[flags] & ~0x10));
}

TEST(Failing, ASectionThatIsNotSharedIsRefused) {
  const Folder folder;
  unshare_section(folder.exe());
  for (const wchar_t* option : {L"--for=1", L"--status"}) {
    const Copy copy{folder.exe(), {option}};
    EXPECT_EQ(copy.exit_code(), DWORD{1});
    EXPECT_TRUE(eventually([&] { return matches(copy.notes(), "section SHARED is not shared"); })) << copy.notes();
  }
}

}  // namespace
}  // namespace share_data::test
