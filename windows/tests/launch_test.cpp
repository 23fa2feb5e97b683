// scripts/launch_n.cmd, run by the system's command interpreter.
#include <gtest/gtest.h>

#include <windows.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "copies.h"

namespace share_data::test {
namespace {

namespace fs = std::filesystem;

/// The script, with `arguments`, as somebody would call it.
Copy launch_n(std::vector<std::wstring> arguments) {
  std::wstring system(MAX_PATH, L'\0');
  system.resize(GetSystemDirectoryW(system.data(), static_cast<UINT>(system.size())));
  const fs::path script = fs::absolute(fs::path{LAUNCH_N_CMD}).make_preferred();
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

TEST(LaunchN, StartsAsManyCopiesAsItIsTold) {
  const Folder folder{L"launch_n"};  // no space: `start` takes no quotes for a script
  // What it starts has a window to write to. Where nobody sees windows, as in Wine without a display, there
  // is none.
  const fs::path wrapper = folder.exe().parent_path() / L"wrapper.cmd";
  std::ofstream{wrapper} << "@\"%~dp0share_data.exe\" %* >nul 2>nul\n";
  SetEnvironmentVariableW(L"SHARE_DATA_EXE", wrapper.c_str());
  const Copy script = launch_n({L"3", L"--for", L"120"});
  EXPECT_TRUE(eventually([&] { return status(folder).starts_with("3 live\n"); }))
      << script.output() << script.notes();
  SetEnvironmentVariableW(L"SHARE_DATA_EXE", nullptr);
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
  EXPECT_TRUE(eventually([&] { return script.output().find("launch_n [N]") != std::string::npos; }))
      << script.output();
}

}  // namespace
}  // namespace share_data::test
