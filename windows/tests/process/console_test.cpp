// Ctrl+C, Ctrl+Break and a closed window, delivered by a real console; what no test can have the system do; and the
// mode of the console, which all programs in it share.
#include <gtest/gtest.h>

#include <windows.h>

#include <cstdint>
#include <string>

#include "copy.h"
#include "win32.h"

namespace share_data::test {
namespace {

class Console : public testing::TestWithParam<DWORD> {};

TEST_P(Console, EventEndsTheCopyInOrder) {
  const DWORD event = GetParam();
  if (event != CTRL_C_EVENT && runs_under_wine()) GTEST_SKIP() << "Wine kills where it should send this one";
  const Folder folder;
  PseudoConsole console;
  const Copy witness{folder.exe()};
  const Copy copy{folder.exe(), Start{.console = console.handle()}};
  ASSERT_TRUE(shows(witness, 2) && shows(copy, 2));
  event == CTRL_CLOSE_EVENT ? console.close() : console.send(event);
  EXPECT_EQ(copy.exit_code(), DWORD{0});
  EXPECT_TRUE(says(copy, "1 live  left\n"));
  EXPECT_TRUE(says(witness, "- " + std::to_string(copy.pid()) + "\n"));
}

INSTANTIATE_TEST_SUITE_P(Events, Console, testing::Values(CTRL_C_EVENT, CTRL_BREAK_EVENT, CTRL_CLOSE_EVENT),
                         testing::PrintToStringParamName());

/// Requests to stop after whose handler the system ends the process.
class LastRequest : public testing::TestWithParam<DWORD> {};

TEST_P(LastRequest, WaitsUntilTheMainThreadHasLeft) {
  // Where the thread begins on which the system delivers a console event. No document says so; the DLL lies at the same
  // address in all processes.
  const FARPROC begin = GetProcAddress(GetModuleHandleW(L"kernelbase.dll"), "CtrlRoutine");
  if (begin == nullptr) GTEST_SKIP() << "this Windows delivers console events in another way";
  const Folder folder;
  const Copy witness{folder.exe()};
  const Copy copy{folder.exe()};
  ASSERT_TRUE(shows(witness, 2) && shows(copy, 2));
  copy.suspend();
  auto* const routine = reinterpret_cast<LPTHREAD_START_ROUTINE>(reinterpret_cast<void*>(begin));
  auto* const event = reinterpret_cast<void*>(static_cast<std::uintptr_t>(GetParam()));
  const Handle handler{CreateRemoteThread(copy.process(), nullptr, 0, routine, event, 0, nullptr)};
  ASSERT_TRUE(handler) << GetLastError();
  EXPECT_EQ(WaitForSingleObject(handler.get(), 500), DWORD{WAIT_TIMEOUT}) << "the process would end here";
  EXPECT_EQ(witness.count(), 2U);
  copy.resume();
  EXPECT_EQ(copy.exit_code(), DWORD{0});
  EXPECT_TRUE(says(copy, "1 live  left\n"));
  EXPECT_TRUE(says(witness, "- " + std::to_string(copy.pid()) + "\n"));
}

INSTANTIATE_TEST_SUITE_P(Requests, LastRequest,
                         testing::Values(CTRL_CLOSE_EVENT, CTRL_LOGOFF_EVENT, CTRL_SHUTDOWN_EVENT),
                         testing::PrintToStringParamName());

/// A pseudo console that this process is in, too, and that shows no colours unless it is asked to. As long as `keeper_`
/// runs, it stays.
class Colors : public testing::Test {
 protected:
  void SetUp() override {
    FreeConsole();
    ASSERT_TRUE(eventually([&] { return AttachConsole(keeper_.pid()) != 0; }));
    SECURITY_ATTRIBUTES inherited{
        .nLength = sizeof(inherited), .lpSecurityDescriptor = nullptr, .bInheritHandle = TRUE};
    screen_ = Handle{CreateFileW(L"CONOUT$", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                                 &inherited, OPEN_EXISTING, 0, nullptr)};
    ASSERT_TRUE(screen_);
    // A new console of Windows has them turned on, one of Wine has not.
    EXPECT_NE(SetConsoleMode(screen_.get(), mode() & ~DWORD{ENABLE_VIRTUAL_TERMINAL_PROCESSING}), 0);
  }
  /// Before the console is closed, which ends all processes in it.
  void TearDown() override {
    screen_ = Handle{};
    FreeConsole();
    AttachConsole(ATTACH_PARENT_PROCESS);
  }

  [[nodiscard]] DWORD mode() const {
    DWORD mode = 0;
    EXPECT_NE(GetConsoleMode(screen_.get(), &mode), 0);
    return mode;
  }
  [[nodiscard]] bool are_shown() const { return (mode() & ENABLE_VIRTUAL_TERMINAL_PROCESSING) != 0; }

  /// Runs the program for half a second with the console as standard output. Returns whether it showed colours
  /// meanwhile.
  [[nodiscard]] bool are_shown_with(const std::wstring& color) const {
    const Copy copy{folder_.exe(), {.arguments = {L"--for", L"0.5", L"--color", color}, .output = screen_.get()}};
    bool seen = false;
    EXPECT_TRUE(eventually([&] {
      seen = seen || are_shown();
      return copy.has_ended();
    }));
    return seen;
  }

 private:
  Folder folder_;
  PseudoConsole console_;
  Copy keeper_{folder_.exe(), Start{.arguments = {L"--color", L"never"}, .console = console_.handle()}};
  Handle screen_;
};

TEST_F(Colors, AreTurnedOnIfTheyAreWantedAndOffAtTheEnd) {
  EXPECT_FALSE(are_shown_with(L"never"));
  for (const wchar_t* wanted : {L"auto", L"always"}) {
    EXPECT_TRUE(are_shown_with(wanted));
    EXPECT_FALSE(are_shown());
  }
}

}  // namespace
}  // namespace share_data::test
