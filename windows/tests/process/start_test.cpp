// Many real copies that come and go.
#include <gtest/gtest.h>

#include <windows.h>

#include <string>
#include <vector>

#include "copies.h"
#include "win32.h"

namespace share_data::test {
namespace {

TEST(Start, TwelveCopiesStartedAtOnceAgree) {
  const Folder folder;
  Copies copies;
  start(copies, 12, folder.exe());
  EXPECT_TRUE(all_show(copies, 12)) << all_output(copies);
}

TEST(Start, TheOthersSeeThoseWhoLeave) {
  const Folder folder;
  const PseudoConsole console;
  Copies stay;
  Copies go;
  start(stay, 6, folder.exe());
  start(go, 6, folder.exe(), Start{.console = console.handle()});
  ASSERT_TRUE(all_show(stay, 12)) << all_output(stay);
  ASSERT_TRUE(all_show(go, 12)) << all_output(go);
  console.send(CTRL_C_EVENT);
  for (const Copy& copy : go) EXPECT_EQ(copy.exit_code(), DWORD{0}) << copy.output();
  EXPECT_TRUE(all_show(stay, 6)) << all_output(stay);
  for (const Copy& copy : stay) EXPECT_FALSE(says(copy, "killed")) << copy.output();
}

TEST(Start, CopiesOfAnotherFileCountApartButTogetherThroughAMapping) {
  const Folder here;
  const Folder there;
  const Start mapping{.arguments = {L"--via", L"mapping", L"--name", unique_name()}};
  Copies files;
  Copies mapped;
  start(files, 2, here.exe());
  start(mapped, 1, here.exe(), mapping);
  start(mapped, 1, there.exe(), mapping);
  const Copy elsewhere{there.exe()};
  EXPECT_TRUE(all_show(mapped, 2)) << all_output(mapped);
  EXPECT_TRUE(all_show(files, 2)) << all_output(files);
  EXPECT_TRUE(eventually([&] { return elsewhere.shows() == 1U; })) << elsewhere.output();
  mapped.pop_back();
  EXPECT_TRUE(all_show(mapped, 1)) << all_output(mapped);
}

TEST(Start, ALifeIsTwoLines) {
  const Folder folder;
  const Copy copy{folder.exe(), {L"--for", L"0.2"}};
  EXPECT_EQ(copy.exit_code(), DWORD{0});
  const std::string pid = std::to_string(copy.pid());
  EXPECT_TRUE(eventually([&] {
    return matches(copy.output(), R"(^\d\d:\d\d:\d\d\.\d{3}  \[)" + pid +
                                      R"(\] +1 live  joined\n)"
                                      R"(\d\d:\d\d:\d\d\.\d{3}  \[)" +
                                      pid + R"(\] +0 live  left; last one out[^\n]*\n$)");
  })) << copy.output();
  EXPECT_TRUE(
      matches(copy.notes(), "^share_data: section SHARED at 0x[0-9a-f]+, 41 KiB, shared by all that run .*exe\n$"))
      << copy.notes();
}

TEST(Start, AShortLifeIsTwoLinesInOrder) {
  const Folder folder;
  for (int round = 0; round < 30; ++round) {
    const Copy copy{folder.exe(), {L"--for", L"0.0001"}};
    EXPECT_EQ(copy.exit_code(), DWORD{0});
    EXPECT_TRUE(eventually([&] {
      return matches(copy.output(), "^[^\n]*1 live  joined\n[^\n]*0 live  left;[^\n]*\n$");
    })) << copy.output();
  }
}

TEST(Start, TheNotesSayWhoCreatedTheMapping) {
  const Folder folder;
  const std::wstring name = unique_name() + L" \u6570";
  const std::vector<std::wstring> arguments{L"--via", L"mapping", L"--name", name};
  const Copy first{folder.exe(), arguments};
  ASSERT_TRUE(eventually([&] { return first.shows() == 1U; })) << first.notes();
  const Copy second{folder.exe(), arguments};
  ASSERT_TRUE(eventually([&] { return second.shows() == 2U; })) << second.notes();
  const std::string rest = "mapping Local\\\\" + to_utf8(name) + ", 41 KiB, at 0x[0-9a-f]+\n$";
  EXPECT_TRUE(matches(first.notes(), "^share_data: created " + rest)) << first.notes();
  EXPECT_TRUE(matches(second.notes(), "^share_data: attached to " + rest)) << second.notes();
}

}  // namespace
}  // namespace share_data::test
