// Ctrl+C, Ctrl+Break and a closed window, delivered by a real console.
#include <gtest/gtest.h>

#include <windows.h>

#include <string>

#include "copies.h"

namespace share_data::test {
namespace {

class Console : public testing::TestWithParam<DWORD> {};

TEST_P(Console, EventEndsTheCopyInOrder) {
  if (GetParam() == CTRL_BREAK_EVENT && runs_under_wine())
    GTEST_SKIP() << "Wine kills where it should send this one";
  const Folder folder;
  const PseudoConsole console;
  const Copy witness{folder.exe()};
  const Copy copy{folder.exe(), Start{.console = console.handle()}};
  ASSERT_TRUE(eventually([&] { return witness.shows() == 2U && copy.shows() == 2U; })) << copy.notes();
  console.send(GetParam());
  EXPECT_EQ(copy.exit_code(), DWORD{0});
  EXPECT_TRUE(eventually([&] { return copy.output().find("1 live  left\n") != std::string::npos; }))
      << copy.output();
  const std::string left = "- " + std::to_string(copy.pid()) + "\n";
  EXPECT_TRUE(eventually([&] { return witness.output().find(left) != std::string::npos; })) << witness.output();
}

INSTANTIATE_TEST_SUITE_P(Events, Console, testing::Values(CTRL_C_EVENT, CTRL_BREAK_EVENT),
                         [](const auto& event) { return event.param == CTRL_C_EVENT ? "CtrlC" : "CtrlBreak"; });

TEST(ConsoleWindow, ThatIsClosedEndsTheCopyInOrder) {
  if (runs_under_wine()) GTEST_SKIP() << "Wine ends the processes in a closed pseudo console without asking them";
  const Folder folder;
  PseudoConsole console;
  const Copy witness{folder.exe()};
  const Copy copy{folder.exe(), Start{.console = console.handle()}};
  ASSERT_TRUE(eventually([&] { return witness.shows() == 2U && copy.shows() == 2U; })) << copy.notes();
  console.close();
  const std::string left = "- " + std::to_string(copy.pid()) + "\n";
  EXPECT_TRUE(eventually([&] { return witness.output().find(left) != std::string::npos; })) << witness.output();
}

TEST(ConsoleEvent, EndsACopyWhoseOutputNobodyReads) {
  const Folder folder;
  const PseudoConsole console;
  const Copy witness{folder.exe()};
  const Copy stuck{folder.exe(), Start{.console = console.handle(), .read_output = false}};
  ASSERT_TRUE(eventually([&] { return witness.shows() == 2U; })) << witness.output();
  console.send(CTRL_C_EVENT);
  EXPECT_EQ(stuck.exit_code(), DWORD{0});
  EXPECT_TRUE(eventually([&] { return witness.shows() == 1U; })) << witness.output();
  EXPECT_EQ(witness.output().find("killed"), std::string::npos) << witness.output();
}

}  // namespace
}  // namespace share_data::test
