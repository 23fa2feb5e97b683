// Ctrl+C and Ctrl+Break, delivered by a real console; what no test can have the system do; and the mode of the console,
// which all programs in it share.
#include <gtest/gtest.h>

#include <windows.h>

#include <cstdint>
#include <initializer_list>
#include <string>

#include "copies.h"
#include "win32.h"

namespace share_data::test {
namespace {

TEST(Console, EventEndsTheCopyInOrder) {
  for (const auto event : std::initializer_list<DWORD>{CTRL_C_EVENT, CTRL_BREAK_EVENT}) {
    if (event == CTRL_BREAK_EVENT && runs_under_wine()) continue;  // Wine kills where it should send this one
    const Folder folder;
    const Copy witness{folder.exe()};
    const Copy copy{folder.exe(), Start{.own_console = true}};
    ASSERT_TRUE(shows(witness, 2) && shows(copy, 2));
    copy.press(event);
    EXPECT_EQ(copy.exit_code(), DWORD{0}) << event;
    EXPECT_TRUE(says(copy, "1 live  left\n"));
    EXPECT_TRUE(says(witness, "- " + std::to_string(copy.pid()) + "\n"));
  }
}

/// After the handler of these requests has returned, the system ends the process.
TEST(LastRequest, WaitsUntilTheMainThreadHasLeft) {
  // Where the thread begins on which the system delivers a console event. No document says so; the DLL lies at the same
  // address in all processes.
  const FARPROC begin = GetProcAddress(GetModuleHandleW(L"kernelbase.dll"), "CtrlRoutine");
  if (begin == nullptr) GTEST_SKIP() << "this Windows delivers console events in another way";
  auto* const routine = reinterpret_cast<LPTHREAD_START_ROUTINE>(reinterpret_cast<void*>(begin));
  for (const auto request :
       std::initializer_list<std::uintptr_t>{CTRL_CLOSE_EVENT, CTRL_LOGOFF_EVENT, CTRL_SHUTDOWN_EVENT}) {
    const Folder folder;
    const Copy witness{folder.exe()};
    const Copy copy{folder.exe()};
    ASSERT_TRUE(shows(witness, 2) && shows(copy, 2));
    copy.suspend();
    auto* const event = reinterpret_cast<void*>(request);
    const Handle handler{CreateRemoteThread(copy.process(), nullptr, 0, routine, event, 0, nullptr)};
    ASSERT_TRUE(handler) << GetLastError();
    EXPECT_EQ(WaitForSingleObject(handler.get(), 500), DWORD{WAIT_TIMEOUT}) << "the process would end here";
    EXPECT_EQ(witness.count(), 2U);
    copy.resume();
    EXPECT_EQ(copy.exit_code(), DWORD{0}) << request;
    EXPECT_TRUE(says(copy, "1 live  left\n"));
    EXPECT_TRUE(says(witness, "- " + std::to_string(copy.pid()) + "\n"));
  }
}

TEST(Colors, AreTurnedOnIfTheyAreWantedAndOffAtTheEnd) {
  const Folder folder;
  const Copy keeper{folder.exe(), Start{.own_console = true}};  // as long as it runs, the console stays
  FreeConsole();
  ASSERT_TRUE(eventually([&] { return AttachConsole(keeper.pid()) != 0; }));
  const Handle screen{CreateFileW(L"CONOUT$", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, nullptr,
                                  OPEN_EXISTING, 0, nullptr)};
  const auto mode = [&] {
    DWORD found = 0;
    EXPECT_NE(GetConsoleMode(screen.get(), &found), 0);
    return found;
  };
  const auto are_shown = [&] { return (mode() & ENABLE_VIRTUAL_TERMINAL_PROCESSING) != 0; };
  const auto are_shown_with = [&](const wchar_t* color) {
    const Copy copy{folder.exe(), {.arguments = {L"--for", L"0.5", L"--color", color}, .output = screen.get()}};
    bool seen = false;
    EXPECT_TRUE(eventually([&] {
      seen = seen || are_shown();
      return copy.has_ended();
    }));
    return seen;
  };
  // A new console of Windows has them turned on, one of Wine has not.
  EXPECT_NE(SetConsoleMode(screen.get(), mode() & ~DWORD{ENABLE_VIRTUAL_TERMINAL_PROCESSING}), 0);
  EXPECT_FALSE(are_shown_with(L"never"));
  for (const wchar_t* wanted : {L"auto", L"always"}) {
    EXPECT_TRUE(are_shown_with(wanted));
    EXPECT_FALSE(are_shown());
  }
  FreeConsole();
  AttachConsole(ATTACH_PARENT_PROCESS);
}

}  // namespace
}  // namespace share_data::test
