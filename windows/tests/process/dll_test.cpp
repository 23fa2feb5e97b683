// --via dll: the section lies in a DLL that any program can load.
#include <gtest/gtest.h>

#include <windows.h>

#include <filesystem>
#include <string>
#include <vector>

#include "copies.h"
#include "win32.h"

namespace share_data::test {
namespace {

namespace fs = std::filesystem;

class Dll : public testing::Test {
 protected:
  /// Our DLL, copied to `path`.
  static void put(const fs::path& path) { fs::copy_file(full(SHARE_DATA_TABLE_DLL), path); }

  static Start through(const fs::path& dll) { return {.arguments = {L"--via", L"dll", L"--dll", dll.wstring()}}; }

  /// Both with --status and without it, and that `why` is what the program says of it.
  void expect_refused(const fs::path& dll, const std::string& why) {
    for (const wchar_t* option : {L"--for=1", L"--status"}) {
      Start start = through(dll);
      start.arguments.emplace_back(option);
      const Copy copy{here.exe(), start};
      EXPECT_EQ(copy.exit_code(), DWORD{1});
      EXPECT_TRUE(eventually([&] { return matches(copy.notes(), why); })) << copy.notes();
      EXPECT_EQ(copy.output(), "");
    }
  }

  Folder here;
  Folder there;
};

TEST_F(Dll, CopiesOfDifferentFilesCountTogether) {
  const fs::path dll = here.exe().parent_path() / L"share_data_table.dll";
  put(dll);
  const Copy first{here.exe(), {L"--via", L"dll"}};
  const Copy second{there.exe(), through(dll)};
  const Copy apart{here.exe()};
  EXPECT_TRUE(eventually([&] { return first.shows() == 2U && second.shows() == 2U; })) << first.notes();
  EXPECT_TRUE(eventually([&] { return apart.shows() == 1U; })) << apart.notes();
  const std::string where =
      R"(section SHARED at 0x[0-9a-f]+, 41 KiB, shared by all that load .*share_data_table\.dll\n$)";
  EXPECT_TRUE(matches(second.notes(), "^share_data: " + where)) << second.notes();
  second.terminate();
  EXPECT_TRUE(eventually([&] { return first.shows() == 1U; })) << first.output();
  EXPECT_EQ(output_of(here, {L"--via", L"dll", L"--status"}).substr(0, 7), "1 live\n");
}

TEST_F(Dll, CopiesThroughTwoCopiesOfItCountApart) {
  const fs::path first = here.exe().parent_path() / L"first \u6570.dll";
  const fs::path second = here.exe().parent_path() / L"second.dll";
  put(first);
  put(second);
  Copies one;
  Copies two;
  start(one, 2, here.exe(), through(first));
  start(two, 1, here.exe(), through(second));
  EXPECT_TRUE(all_show(one, 2)) << all_output(one);
  EXPECT_TRUE(all_show(two, 1)) << all_output(two);
}

TEST_F(Dll, ThatIsMissingIsSaid) {
  expect_refused(here.exe().parent_path() / L"none.dll", "LoadLibrary .*none.dll: .*\n.*belongs beside share_data.exe");
}

TEST_F(Dll, ThatIsNotOursIsRefusedBeforeItRuns) {
  std::wstring system(MAX_PATH, L'\0');
  system.resize(GetSystemDirectoryW(system.data(), static_cast<UINT>(system.size())));
  expect_refused(fs::path{system} / L"user32.dll", "user32.dll has no section SHARED with a table of ours\n");
}

TEST_F(Dll, WhoseTableIsOfAnotherVersionIsRefused) {
  const fs::path dll = here.exe().parent_path() / L"other.dll";
  put(dll);
  replace_in(dll, "Sh_data3", "Sh_data2");
  expect_refused(dll, "is not ours, or of another version");
}

TEST_F(Dll, ThatIsRefusedLoadsNothingThatItNeeds) {
  const fs::path dll = here.exe().parent_path() / L"other.dll";
  put(dll);
  replace_in(dll, "Sh_data3", "Sh_data2");
  replace_in(dll, "KERNEL32.dll", "MISSING1.dll");
  expect_refused(dll, "is not ours, or of another version");
}

TEST_F(Dll, WhoseSectionIsNotSharedIsRefused) {
  const fs::path dll = here.exe().parent_path() / L"private.dll";
  put(dll);
  unshare_section(dll);
  expect_refused(dll, "section SHARED is not shared in .*private.dll");
}

TEST_F(Dll, ThatIsNoDllIsRefused) {
  const fs::path dll = here.exe().parent_path() / L"text.dll";
  fs::copy_file(full(__FILE__), dll);
  expect_refused(dll, "LoadLibrary .*text.dll: .*193.*\n.*--dll");
}

}  // namespace
}  // namespace share_data::test
