// --via dll: the section lies in a DLL that any program can load. And sections that are refused.
#include <gtest/gtest.h>

#include <windows.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <ios>
#include <iterator>
#include <string>

#include "copies.h"

namespace share_data::test {
namespace {

namespace fs = std::filesystem;

/// Replaces each `from` in a file by `to`, which is as long. Returns where the first one is.
std::size_t replace_in(const fs::path& file_name, const std::string& from, const std::string& to) {
  std::fstream file{file_name, std::ios::in | std::ios::out | std::ios::binary};
  const std::string bytes{std::istreambuf_iterator<char>{file}, {}};
  const auto first = bytes.find(from);
  EXPECT_NE(first, std::string::npos);
  for (auto at = first; at != std::string::npos; at = bytes.find(from, at + 1)) {
    file.seekp(static_cast<std::streamoff>(at));
    file << to;
  }
  return first;
}

/// Takes the flag "shared" from the section SHARED in the headers of a program file or DLL.
void unshare_section(const fs::path& file_name) {
  const std::string name("SHARED\0\0", 8);
  const auto flags = replace_in(file_name, name, name) + offsetof(IMAGE_SECTION_HEADER, Characteristics);
  std::fstream file{file_name, std::ios::in | std::ios::out | std::ios::binary};
  file.seekp(static_cast<std::streamoff>(flags + 3));
  file.put('\xc0');  // IMAGE_SCN_MEM_READ | IMAGE_SCN_MEM_WRITE
}

/// With --status and without it. `why` is what the program says of it.
void expect_refused(const fs::path& exe, const Arguments& arguments, const std::string& why) {
  for (const wchar_t* option : {L"--for=1", L"--status"}) {
    Start start{.arguments = arguments};
    start.arguments.emplace_back(option);
    const Copy copy{exe, start};
    EXPECT_EQ(copy.exit_code(), DWORD{1});
    EXPECT_TRUE(notes(copy, why));
    EXPECT_EQ(copy.output(), "");
  }
}

class Dll : public testing::Test {
 protected:
  /// Our DLL, copied.
  [[nodiscard]] fs::path put(const wchar_t* name) const {
    fs::copy_file(SHARE_DATA_TABLE_DLL, here.path() / name);
    return here.path() / name;
  }
  static Arguments through(const fs::path& dll) { return {L"--via", L"dll", L"--dll", dll.wstring()}; }

  Folder here;
  Folder there;
};

TEST_F(Dll, OrMappingLetsCopiesOfDifferentFilesCountTogether) {
  const fs::path dll = put(L"share_data_table.dll");
  const Copy first{here.exe(), {L"--via", L"dll"}};
  const Copy second{there.exe(), through(dll)};
  const Copy in_another_dll{here.exe(), through(put(L"\u6570 2.dll"))};
  const Arguments mapping = via_mapping(unique_name());
  const Copy mapped{here.exe(), mapping};
  const Copy mapped_too{there.exe(), mapping};
  const Copy apart{here.exe()};
  const Copy apart_too{there.exe()};
  for (const Copy* copy : {&first, &second, &mapped, &mapped_too}) EXPECT_TRUE(shows(*copy, 2));
  for (const Copy* copy : {&apart, &apart_too, &in_another_dll}) EXPECT_TRUE(shows(*copy, 1));
  EXPECT_TRUE(notes(in_another_dll, "\xe6\x95\xb0 2.dll\n$")) << "it shows paths in any script";
  EXPECT_TRUE(notes(second,
                    "^share_data: section SHARED at 0x[0-9a-f]+, 17 KiB, shared by all that load "
                    ".*share_data_table\\.dll\n$"));
  second.terminate();
  mapped_too.terminate();
  EXPECT_TRUE(shows(first, 1) && shows(mapped, 1));
  EXPECT_EQ(output_of(here, {L"--via", L"dll", L"--status"}).substr(0, 7), "1 live\n");
}

TEST_F(Dll, ThatIsNotOursIsRefusedBeforeItRuns) {
  const auto expect = [&](const fs::path& dll, const std::string& why) {
    expect_refused(here.exe(), through(dll), why);
  };
  expect(here.path() / L"none.dll", "LoadLibrary .*none.dll: .*\n.*belongs beside share_data.exe");
  fs::copy_file(__FILE__, here.path() / L"text.dll");
  expect(here.path() / L"text.dll", "LoadLibrary .*text.dll: .*193.*\n.*--dll");
  expect(system_folder() / L"user32.dll", "user32.dll has no section SHARED with a table of ours\n");
  const fs::path other = put(L"other.dll");
  replace_in(other, "Sh_data3", "Sh_data2");
  expect(other, "is not ours, or of another version");
  const fs::path program = here.path() / L"program.dll";  // which has imports
  fs::copy_file(here.exe(), program);
  replace_in(program, "Sh_data3", "Sh_data2");
  replace_in(program, "KERNEL32.dll", "MISSING1.dll");  // would not be found
  expect(program, "is not ours, or of another version");
  const fs::path alone = put(L"private.dll");
  unshare_section(alone);
  expect(alone, "section SHARED is not shared in .*private.dll");
}

TEST(Failing, ASectionThatIsNotSharedIsRefused) {
  const Folder folder;
  unshare_section(folder.exe());
  expect_refused(folder.exe(), {}, "section SHARED is not shared in .*exe");
}

}  // namespace
}  // namespace share_data::test
