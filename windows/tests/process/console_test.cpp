// Ctrl+C, Ctrl+Break and a closed window, delivered by a real console; and what no test can have the system do.
#include <gtest/gtest.h>

#include <windows.h>

#include <chrono>
#include <cstdint>
#include <string>

#include "copy.h"

namespace share_data::test {
namespace {

class Console : public testing::TestWithParam<DWORD> {};

TEST_P(Console, EventEndsTheCopyInOrder) {
  if (GetParam() == CTRL_BREAK_EVENT && runs_under_wine()) GTEST_SKIP() << "Wine kills where it should send this one";
  const Folder folder;
  const PseudoConsole console;
  const Copy witness{folder.exe()};
  const Copy copy{folder.exe(), Start{.console = console.handle()}};
  ASSERT_TRUE(eventually([&] { return witness.shows() == 2U && copy.shows() == 2U; })) << copy.notes();
  console.send(GetParam());
  EXPECT_EQ(copy.exit_code(), DWORD{0});
  EXPECT_TRUE(eventually([&] { return copy.output().find("1 live  left\n") != std::string::npos; })) << copy.output();
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

/// Requests to stop after whose handler the system ends the process.
class LastRequest : public testing::TestWithParam<DWORD> {};

/// Where that thread begins. No document says so; the DLL lies at the same address in all processes.
FARPROC ctrl_routine() { return GetProcAddress(GetModuleHandleW(L"kernelbase.dll"), "CtrlRoutine"); }

/// Delivers a console event as the system does: on a new thread of the process.
Handle deliver(const Copy& copy, DWORD event) {
  return Handle{CreateRemoteThread(copy.process(), nullptr, 0,
                                   reinterpret_cast<LPTHREAD_START_ROUTINE>(reinterpret_cast<void*>(ctrl_routine())),
                                   reinterpret_cast<void*>(static_cast<std::uintptr_t>(event)), 0, nullptr)};
}

TEST_P(LastRequest, WaitsUntilTheMainThreadHasLeft) {
  if (ctrl_routine() == nullptr) GTEST_SKIP() << "this Windows delivers console events in another way";
  const Folder folder;
  const Copy witness{folder.exe()};
  const Copy copy{folder.exe()};
  ASSERT_TRUE(eventually([&] { return witness.shows() == 2U && copy.shows() == 2U; })) << copy.notes();
  copy.suspend();
  const Handle handler = deliver(copy, GetParam());
  ASSERT_TRUE(handler) << GetLastError();
  EXPECT_EQ(WaitForSingleObject(handler.get(), 500), DWORD{WAIT_TIMEOUT}) << "the process would end here";
  EXPECT_EQ(witness.shows(), 2U);
  copy.resume();
  EXPECT_EQ(copy.exit_code(), DWORD{0});
  EXPECT_TRUE(eventually([&] { return copy.output().find("1 live  left\n") != std::string::npos; })) << copy.output();
  const std::string left = "- " + std::to_string(copy.pid()) + "\n";
  EXPECT_TRUE(eventually([&] { return witness.output().find(left) != std::string::npos; })) << witness.output();
}

std::string name_of_request(const testing::TestParamInfo<DWORD>& event) {
  if (event.param == CTRL_CLOSE_EVENT) return "ClosedWindow";
  return event.param == CTRL_LOGOFF_EVENT ? "Logoff" : "Shutdown";
}

INSTANTIATE_TEST_SUITE_P(Requests, LastRequest,
                         testing::Values(CTRL_CLOSE_EVENT, CTRL_LOGOFF_EVENT, CTRL_SHUTDOWN_EVENT), name_of_request);

TEST(ConsoleEvent, EndsACopyWhoseOutputNobodyReads) {
  const Folder folder;
  const PseudoConsole console;
  const Copy witness{folder.exe()};
  const Copy stuck{folder.exe(), Start{.console = console.handle(), .read_output = false}};
  ASSERT_TRUE(eventually([&] { return witness.shows() == 2U; })) << witness.output();
  console.send(CTRL_C_EVENT);
  const auto asked = std::chrono::steady_clock::now();
  EXPECT_EQ(stuck.exit_code(), DWORD{0});
  EXPECT_LT(std::chrono::steady_clock::now() - asked, time_to_leave);
  EXPECT_TRUE(eventually([&] { return witness.shows() == 1U; })) << witness.output();
  EXPECT_EQ(witness.output().find("killed"), std::string::npos) << witness.output();
}

}  // namespace
}  // namespace share_data::test
