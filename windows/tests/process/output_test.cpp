// What comes out, and what becomes of it.
#include <gtest/gtest.h>

#include <windows.h>

#include <chrono>
#include <string>

#include "copies.h"

namespace share_data::test {
namespace {

TEST(Json, TellsTheStoryOfACopy) {
  const Folder folder;
  const Copy copy{folder.exe(), {L"--for", L"0.2", L"--json", L"--quiet"}};
  EXPECT_EQ(copy.exit_code(), DWORD{0});
  const std::string pid = std::to_string(copy.pid());
  const std::string time = R"(\{"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z","pid":)" + pid;
  EXPECT_TRUE(eventually([&] {
    return matches(copy.output(), "^" + time + R"(,"event":"joined","live":1,"plain":1,"joined":\[)" + pid +
                                      R"(\],"left":\[\],"killed":\[\],"unknown":\[\]\}\n)" + time +
                                      R"(,"event":"left","live":0,"plain":0,"joined":\[\],"left":\[)" + pid +
                                      R"(\],"killed":\[\],"unknown":\[\]\}\n$)");
  })) << copy.output();
  EXPECT_EQ(copy.notes(), "");
}

TEST(Output, OnlyAConsoleGetsColoursUnasked) {
  const Folder folder;
  const auto is_coloured = [&](const wchar_t* when) {
    return output_of(folder, {L"--for", L"0.1", L"--color", when}).find('\x1b') != std::string::npos;
  };
  EXPECT_TRUE(is_coloured(L"always"));
  EXPECT_FALSE(is_coloured(L"auto")) << "this is no console";
  EXPECT_FALSE(is_coloured(L"never"));
}

TEST(Output, ShowsPathsInAnyScript) {
  const Folder folder{L"gr\u00fc\u00df \u6570"};
  const Copy copy{folder.exe(), {L"--for", L"0.2"}};
  EXPECT_EQ(copy.exit_code(), DWORD{0});
  EXPECT_TRUE(eventually([&] { return copy.notes().find("gr\xc3\xbc\xc3\x9f \xe6\x95\xb0") != std::string::npos; }))
      << copy.notes();
}

TEST(Output, AReaderWhoIsGoneBeforeTheFirstLineEndsTheCopyCleanly) {
  const Folder folder;
  Copy copy{folder.exe(), Start{.suspended = true, .read_output = false}};
  copy.break_output();
  copy.resume();
  EXPECT_EQ(copy.exit_code(), DWORD{0});
}

TEST(Output, ACopyWhoseLinesNobodyReadsLeavesWhenItsTimeIsOver) {
  const Folder folder;
  const Copy witness{folder.exe()};
  ASSERT_TRUE(eventually([&] { return witness.shows() == 1U; }));
  const Copy stuck{folder.exe(), Start{.arguments = {L"--for", L"1"}, .read_output = false}};
  EXPECT_EQ(stuck.exit_code(), DWORD{0});
  EXPECT_TRUE(eventually([&] {
    return witness.output().find("- " + std::to_string(stuck.pid())) != std::string::npos;
  })) << witness.output();
}

TEST(Output, ACopyWhoseLastLineNobodyTakesIsShownAsLeftAtOnce) {
  const Folder folder;
  const Copy witness{folder.exe()};
  ASSERT_TRUE(eventually([&] { return witness.shows() == 1U; }));
  const Copy stuck{folder.exe(), Start{.arguments = {L"--for", L"1"}, .read_output = false}};
  const std::string left = "- " + std::to_string(stuck.pid());
  EXPECT_TRUE(eventually([&] { return witness.output().find(left) != std::string::npos; })) << witness.output();
  EXPECT_EQ(WaitForSingleObject(stuck.process(), 0), DWORD{WAIT_TIMEOUT}) << "it waits 3 s for its reader";
}

TEST(Output, ACopyOfWhichNobodyReadsAnythingLeavesWithinFourSeconds) {
  const Folder folder;
  const Copy witness{folder.exe()};
  ASSERT_TRUE(eventually([&] { return witness.shows() == 1U; }));
  const Copy stuck{folder.exe(), Start{.arguments = {L"--for", L"1"}, .read_output = false, .read_notes = false}};
  ASSERT_TRUE(eventually([&] { return witness.shows() == 2U; }));
  const auto joined = std::chrono::steady_clock::now();
  EXPECT_EQ(stuck.exit_code(), DWORD{0});
  EXPECT_LT(std::chrono::steady_clock::now() - joined, std::chrono::seconds{1} + time_to_leave);
}

}  // namespace
}  // namespace share_data::test
