// scripts/launch_n.cmd, run by the system's command interpreter.
#include <gtest/gtest.h>

#include <windows.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "copies.h"

namespace share_data::test {
namespace {

namespace fs = std::filesystem;

const fs::path script_file = fs::absolute(LAUNCH_N_CMD).make_preferred();

/// The script, with `arguments`, as somebody would call it. Each test sets the environment variables that matter to it.
Copy launch_n(Arguments arguments) {
  arguments.insert(arguments.begin(), {L"/c", script_file.wstring()});
  return Copy{system_folder() / L"cmd.exe", arguments};
}

TEST(LaunchN, StartsAsManyCopiesAsItIsToldAndSaysSoIfThereIsNoTerminalForPanes) {
  const Folder folder{SHARE_DATA_EXE, L"launch_n"};  // no space: `start` takes no quotes for a script
  // What the script starts has a window to write to, except in Wine without a display. So let it start this.
  const fs::path wrapper = folder.path() / L"wrapper.cmd";
  std::ofstream{wrapper} << "@\"%~dp0share_data.exe\" %* >nul 2>nul & exit\n";
  SetEnvironmentVariableW(L"SHARE_DATA_EXE", wrapper.c_str());
  SetEnvironmentVariableW(L"PATH", system_folder().c_str());
  const Copy script = launch_n({L"3", L"--panes", L"--for", L"120"});
  EXPECT_TRUE(says(script, "there is no Windows Terminal"));
  EXPECT_TRUE(eventually([&] { return output_of(folder, {L"--status"}).starts_with("3 live\n"); })) << script.notes();
}  // they end with the job of the script

TEST(LaunchN, StartsWhatIsBesideItWhateverItsPath) {
  SetEnvironmentVariableW(L"SHARE_DATA_EXE", nullptr);
  Arguments names{L"a b", L"R&D", L"a^b", L"!x! y!", L"(x86) [a]", L"R & ^(a) !b!"};
  // Wine expands variables in what it has just expanded.
  if (!runs_under_wine()) names.insert(names.end(), {L"100%", L"%PATH%", L"50%i & ^(a) !b!"});
  const fs::path before = fs::current_path();
  for (const std::wstring& name : names) {
    const Folder folder{system_folder() / L"cmd.exe", name};  // it is told to make two folders
    fs::copy_file(script_file, folder.path() / L"launch_n.cmd");
    fs::current_path(folder.path());
    const Copy launch{system_folder() / L"cmd.exe", {L"/c", L"launch_n.cmd", L"1", L"/c", L"mkdir one two"}};
    EXPECT_EQ(launch.exit_code(), DWORD{0});
    EXPECT_TRUE(eventually([] { return fs::exists(L"one") && fs::exists(L"two"); }))
        << folder.path() << launch.output() << launch.notes();
    fs::current_path(before);
  }
}

TEST(LaunchN, PutsEachCopyIntoAPaneOfItsOwn) {
  const Folder folder;
  const Folder terminal{HELPER_EXE, L"terminal"};
  fs::rename(terminal.exe(), terminal.path() / L"wt.exe");  // stands in for Windows Terminal
  SetEnvironmentVariableW(L"SHARE_DATA_EXE", (L"\"" + folder.exe().wstring() + L"\"").c_str());
  SetEnvironmentVariableW(L"PATH", (terminal.path().wstring() + L";" + system_folder().wstring()).c_str());
  const Copy script = launch_n({L"3", L"--panes", L"--for", L"9"});
  EXPECT_EQ(script.exit_code(), DWORD{0}) << script.notes();
  std::ifstream stream{terminal.path() / L"wt.exe.txt"};
  std::string line{std::istreambuf_iterator<char>{stream}, {}};
  line.erase(line.find_last_not_of(' ') + 1);  // of Wine
  const std::string copy = "\"" + folder.exe().string() + "\" --for 9";
  EXPECT_EQ(line.substr(std::min(line.find("new-tab"), line.size())),
            "new-tab --title \"share_data\" " + copy + " ; split-pane --horizontal --size 0.66 " + copy +
                " ; split-pane --horizontal --size 0.50 " + copy);
}

TEST(LaunchN, FailsIfACopyCannotBeStarted) {
  if (!runs_under_wine()) GTEST_SKIP() << "Windows shows a dialog";
  const Folder folder;
  fs::resize_file(folder.exe(), 0);
  SetEnvironmentVariableW(L"SHARE_DATA_EXE", folder.exe().c_str());
  const Copy script = launch_n({L"2"});
  EXPECT_EQ(script.exit_code(), DWORD{1});
  EXPECT_TRUE(notes(script, "launch_n: copy 1 could not"));
}

TEST(LaunchN, RefusesWhatIsNoNumberAndHelps) {
  for (const wchar_t* wrong : {L"0", L"three", L"4x", L"101"}) {
    const Copy script = launch_n({wrong});
    EXPECT_EQ(script.exit_code(), DWORD{2}) << script.output();
    EXPECT_TRUE(notes(script, "^launch_n: not a number"));
  }
  const Copy script = launch_n({L"/?"});
  EXPECT_EQ(script.exit_code(), DWORD{0});
  EXPECT_TRUE(says(script, R"(launch_n \[N \[--panes\])"));
}

}  // namespace
}  // namespace share_data::test
