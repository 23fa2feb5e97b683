// The mode of the console, which all programs in it share.
#include <gtest/gtest.h>

#include <windows.h>

#include <filesystem>
#include <string>

#include "copies.h"
#include "win32.h"

namespace share_data::test {
namespace {

/// A pseudo console that this process is in, too, and that shows no colours unless it is asked to. As long as `keeper`
/// runs, it stays.
class EnteredConsole {
 public:
  explicit EnteredConsole(const Folder& folder)
      : keeper_(folder.exe(), Start{.arguments = {L"--color", L"never"}, .console = console_.handle()}) {
    FreeConsole();
    EXPECT_TRUE(eventually([&] { return AttachConsole(keeper_.pid()) != 0; }));
    SECURITY_ATTRIBUTES inherited{
        .nLength = sizeof(inherited), .lpSecurityDescriptor = nullptr, .bInheritHandle = TRUE};
    screen_ = Handle{CreateFileW(L"CONOUT$", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                                 &inherited, OPEN_EXISTING, 0, nullptr)};
    EXPECT_TRUE(screen_);
    DWORD mode = 0;  // a new console of Windows has them turned on, one of Wine has not
    GetConsoleMode(screen_.get(), &mode);
    EXPECT_NE(SetConsoleMode(screen_.get(), mode & ~DWORD{ENABLE_VIRTUAL_TERMINAL_PROCESSING}), 0);
  }
  /// Before the console is closed, which ends all processes in it.
  ~EnteredConsole() {
    screen_ = Handle{};
    FreeConsole();
    AttachConsole(ATTACH_PARENT_PROCESS);
  }
  EnteredConsole(const EnteredConsole&) = delete;
  EnteredConsole& operator=(const EnteredConsole&) = delete;
  EnteredConsole(EnteredConsole&&) = delete;
  EnteredConsole& operator=(EnteredConsole&&) = delete;

  [[nodiscard]] bool shows_colors() const {
    DWORD mode = 0;
    EXPECT_NE(GetConsoleMode(screen_.get(), &mode), 0);
    return (mode & ENABLE_VIRTUAL_TERMINAL_PROCESSING) != 0;
  }

  /// Runs the program for half a second with the console as standard output. Returns whether it showed colours
  /// meanwhile.
  [[nodiscard]] bool run(const std::filesystem::path& exe, const std::wstring& color) const {
    STARTUPINFOW info{};
    info.cb = sizeof(info);
    info.dwFlags = STARTF_USESTDHANDLES;
    info.hStdOutput = screen_.get();
    info.hStdError = screen_.get();
    PROCESS_INFORMATION process{};
    std::wstring line = L"\"" + exe.wstring() + L"\" --for 0.5 --color " + color;
    EXPECT_NE(CreateProcessW(nullptr, line.data(), nullptr, nullptr, TRUE, 0, nullptr, nullptr, &info, &process), 0);
    const Handle guard{process.hProcess};
    CloseHandle(process.hThread);
    bool seen = false;
    EXPECT_TRUE(eventually([&] {
      seen = seen || shows_colors();
      return WaitForSingleObject(process.hProcess, 0) == WAIT_OBJECT_0;
    }));
    return seen;
  }

 private:
  PseudoConsole console_;
  Copy keeper_;
  Handle screen_;
};

TEST(Colors, AreTurnedOnIfTheyAreWantedAndOffAtTheEnd) {
  const Folder folder;
  const EnteredConsole console{folder};
  ASSERT_FALSE(console.shows_colors());
  EXPECT_TRUE(console.run(folder.exe(), L"auto"));
  EXPECT_FALSE(console.shows_colors());
  EXPECT_TRUE(console.run(folder.exe(), L"always"));
  EXPECT_FALSE(console.shows_colors());
}

TEST(Colors, AreNotTurnedOnIfTheyAreNotWanted) {
  const Folder folder;
  const EnteredConsole console{folder};
  EXPECT_FALSE(console.run(folder.exe(), L"never"));
}

}  // namespace
}  // namespace share_data::test
