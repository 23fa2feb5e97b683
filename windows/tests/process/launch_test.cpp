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

fs::path system_folder() {
  std::wstring path(MAX_PATH, L'\0');
  path.resize(GetSystemDirectoryW(path.data(), static_cast<UINT>(path.size())));
  return path;
}

/// The script, with `arguments`, as somebody would call it.
Copy launch_n(std::vector<std::wstring> arguments) {
  const fs::path script = full(LAUNCH_N_CMD);
  arguments.insert(arguments.begin(), {L"/c", script.wstring()});
  return Copy{system_folder() / L"cmd.exe", arguments};
}

std::string status(const Folder& folder) {
  const Copy copy{folder.exe(), {L"--status"}};
  (void)copy.exit_code();
  std::string text;
  (void)eventually([&] { return !(text = copy.output()).empty(); });
  return text;
}

/// Has the script start something that starts the program. What it starts has a window to write to, except in Wine
/// without a display.
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

/// Until its end, the folder that names of files are relative to.
class CurrentFolder {
 public:
  explicit CurrentFolder(const fs::path& path) { fs::current_path(path); }
  ~CurrentFolder() { fs::current_path(before_); }
  CurrentFolder(const CurrentFolder&) = delete;
  CurrentFolder& operator=(const CurrentFolder&) = delete;
  CurrentFolder(CurrentFolder&&) = delete;
  CurrentFolder& operator=(CurrentFolder&&) = delete;

 private:
  fs::path before_ = fs::current_path();
};

/// Starts what is beside the script: a copy of the command interpreter, which is told to make two folders.
void launch_n_in(const std::wstring& name) {
  const Folder folder{name};
  const fs::path here = folder.exe().parent_path();
  fs::remove(folder.exe());
  fs::copy_file(system_folder() / L"cmd.exe", folder.exe());
  fs::copy_file(full(LAUNCH_N_CMD), here / L"launch_n.cmd");
  const CurrentFolder current{here};
  const Copy launch{system_folder() / L"cmd.exe", {L"/c", L"launch_n.cmd", L"1", L"/c", L"mkdir one two"}};
  EXPECT_EQ(launch.exit_code(), DWORD{0});
  EXPECT_TRUE(eventually([&] { return fs::exists(here / L"one") && fs::exists(here / L"two"); }))
      << here << launch.output() << launch.notes();
}

TEST(LaunchN, StartsWhatIsBesideItWhateverItsPath) {
  for (const wchar_t* name : {L"a b", L"R&D", L"a^b", L"!x! y!", L"(x86) [a]", L"R & ^(a) !b!"}) launch_n_in(name);
}

TEST(LaunchN, StartsWhatIsBesideItInAPathWithPercentSigns) {
  if (runs_under_wine()) GTEST_SKIP() << "Wine expands variables in what it has just expanded";
  for (const wchar_t* name : {L"100%", L"%PATH%", L"50%i & ^(a) !b!"}) launch_n_in(name);
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
