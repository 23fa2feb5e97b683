// The command line.
#include <gtest/gtest.h>

#include <windows.h>

#include <string>
#include <vector>

#include "copies.h"

namespace share_data::test {
namespace {

TEST(Usage, WrongOptionsTouchNothing) {
  const Folder folder;
  const std::vector<std::vector<std::wstring>> wrong{{L"--max", L"0"}, {L"--for"}, {L"--name", L"x"}, {L"--nope"}};
  for (const auto& arguments : wrong) {
    const Copy copy{folder.exe(), arguments};
    EXPECT_EQ(copy.exit_code(), DWORD{2});
    EXPECT_TRUE(eventually([&] { return copy.notes().starts_with("share_data: "); })) << copy.notes();
    EXPECT_EQ(copy.output(), "");
  }
}

TEST(Usage, HelpLeadsWithExamplesAndEndsWithTheExitCodes) {
  const Folder folder;
  const std::string help = output_of(folder, {L"--help"});
  EXPECT_TRUE(matches(help, "^[^\n]*\n\nExamples:\n")) << help;
  EXPECT_TRUE(matches(help, "Usage: share_data \\[OPTIONS\\]")) << help;
  EXPECT_TRUE(matches(help, "3  refused, because --max copies are live\n$")) << help;
  EXPECT_TRUE(matches(output_of(folder, {L"--version"}), "^share_data \\d+\\.\\d+\\.\\d+\n$"));
}

TEST(Usage, AVeryLongTimeIsAllowed) {
  const Folder folder;
  const Copy copy{folder.exe(), {L"--for", L"1e300"}};
  ASSERT_TRUE(eventually([&] { return copy.shows() == 1U; })) << copy.notes();
  EXPECT_EQ(WaitForSingleObject(copy.process(), 200), DWORD{WAIT_TIMEOUT});
}

}  // namespace
}  // namespace share_data::test
