// scripts/launch_n.cmd, run by the system's command interpreter.
#include <gtest/gtest.h>

#include <windows.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "copy.h"

namespace share_data::test {
namespace {

namespace fs = std::filesystem;

/// The script, with `arguments`, as somebody would call it.
Copy launch_n(std::vector<std::wstring> arguments) {
  std::wstring system(MAX_PATH, L'\0');
  system.resize(GetSystemDirectoryW(system.data(), static_cast<UINT>(system.size())));
  const fs::path script = full(LAUNCH_N_CMD);
  arguments.insert(arguments.begin(), {L"/c", script.wstring()});
  return Copy{fs::path{system} / L"cmd.exe", arguments};
}

std::string status(const Folder& folder) {
  const Copy copy{folder.exe(), {L"--status"}};
  (void)copy.exit_code();
  std::string text;
  (void)eventually([&] { return !(text = copy.output()).empty(); });
  return text;
}

/// Has the script start something that starts the program. What it starts has a window to write to; where nobody
/// sees windows, as in Wine without a display, there is none.
class Wrapper {
 public:
  explicit Wrapper(const Folder& folder) {
    const fs::path file = folder.exe().parent_path() / L"wrapper.cmd";
    std::ofstream{file} << "@\"%~dp0share_data.exe\" %* >nul 2>nul\n";
    SetEnvironmentVariableW(L"SHARE_DATA_EXE", file.c_str());
  }
  ~Wrapper() { SetEnvironmentVariableW(L"SHARE_DATA_EXE", nullptr); }
  Wrapper(const Wrapper&) = delete;
  Wrapper& operator=(const Wrapper&) = delete;
  Wrapper(Wrapper&&) = delete;
  Wrapper& operator=(Wrapper&&) = delete;
};

TEST(LaunchN, StartsAsManyCopiesAsItIsTold) {
  const Folder folder{L"launch_n"};  // no space: `start` takes no quotes for a script
  const Wrapper wrapper{folder};
  const Copy script = launch_n({L"3", L"--for", L"120"});
  EXPECT_TRUE(eventually([&] { return status(folder).starts_with("3 live\n"); })) << script.output() << script.notes();
}

TEST(LaunchN, StartsThemSideBySideWhereThePlacerLiesBesideTheProgram) {
  const Folder folder{L"launch n"};  // a space, which shows that it was not `start`
  const Wrapper wrapper{folder};
  fs::copy_file(full(LAUNCH_WINDOWS_EXE), folder.exe().parent_path() / L"launch_windows.exe");
  const Copy script = launch_n({L"3", L"--for", L"120"});
  EXPECT_TRUE(eventually([&] { return status(folder).starts_with("3 live\n"); })) << script.output() << script.notes();
  EXPECT_EQ(script.exit_code(), DWORD{0});
}

TEST(LaunchWindows, RefusesWhatItDoesNotUnderstand) {
  const std::vector<std::vector<std::wstring>> wrong{
      {}, {L"3"}, {L"0", L"x"}, {L"three", L"x"}, {L"3x", L"x"}, {L"101", L"x"}};
  for (const auto& arguments : wrong) {
    const Copy copy{full(LAUNCH_WINDOWS_EXE), arguments};
    EXPECT_EQ(copy.exit_code(), DWORD{2});
    EXPECT_TRUE(eventually([&] { return copy.notes().starts_with("usage: "); })) << copy.notes();
  }
}

TEST(LaunchWindows, FailsWhereItCannotStartWhatItIsTold) {
  const Copy copy{full(LAUNCH_WINDOWS_EXE), {L"2", L"no such program", L"--option"}};
  EXPECT_EQ(copy.exit_code(), DWORD{1});
  EXPECT_TRUE(eventually([&] { return copy.notes().starts_with("launch_windows: CreateProcess: error 2"); }))
      << copy.notes();
}

TEST(LaunchN, RefusesWhatIsNoNumber) {
  for (const wchar_t* wrong : {L"0", L"three", L"4x", L"101"}) {
    const Copy script = launch_n({wrong});
    EXPECT_EQ(script.exit_code(), DWORD{2}) << script.output();
    EXPECT_TRUE(eventually([&] { return script.notes().starts_with("launch_n: not a number"); })) << script.notes();
  }
}

TEST(LaunchN, Helps) {
  const Copy script = launch_n({L"/?"});
  EXPECT_EQ(script.exit_code(), DWORD{0});
  EXPECT_TRUE(eventually([&] { return script.output().find("launch_n [N]") != std::string::npos; })) << script.output();
}

}  // namespace
}  // namespace share_data::test
