// scripts/launch_n.cmd, run by the system's command interpreter.
#include <gtest/gtest.h>

#include <windows.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "copy.h"

namespace share_data::test {
namespace {

namespace fs = std::filesystem;

/// The script, with `arguments`, as somebody would call it.
Copy launch_n(Arguments arguments) {
  arguments.insert(arguments.begin(), {L"/c", full(LAUNCH_N_CMD).wstring()});
  return Copy{system_folder() / L"cmd.exe", arguments};
}

/// Until its end, an environment variable has this value.
class Variable {
 public:
  Variable(const wchar_t* name, const std::wstring& value) : name_(name) {
    before_.resize(GetEnvironmentVariableW(name, before_.data(), static_cast<DWORD>(before_.size())));
    SetEnvironmentVariableW(name, value.c_str());
  }
  ~Variable() { SetEnvironmentVariableW(name_, before_.empty() ? nullptr : before_.c_str()); }
  Variable(Variable&&) = delete;

 private:
  const wchar_t* name_;
  std::wstring before_ = std::wstring(32'767, L'\0');
};

TEST(LaunchN, StartsAsManyCopiesAsItIsToldAndSaysSoIfThereIsNoTerminalForPanes) {
  const Folder folder{L"launch_n"};  // no space: `start` takes no quotes for a script
  // What the script starts has a window to write to, except in Wine without a display. So let it start this.
  const fs::path wrapper = folder.path() / L"wrapper.cmd";
  std::ofstream{wrapper} << "@\"%~dp0share_data.exe\" %* >nul 2>nul & exit\n";
  const Variable program{L"SHARE_DATA_EXE", wrapper.wstring()};
  const Variable path{L"PATH", system_folder().wstring()};
  const Copy script = launch_n({L"3", L"--panes", L"--for", L"120"});
  EXPECT_TRUE(says(script, "there is no Windows Terminal"));
  EXPECT_TRUE(eventually([&] { return output_of(folder, {L"--status"}).starts_with("3 live\n"); })) << script.notes();
}  // they end with the job of the script

/// Starts what is beside the script: a copy of the command interpreter, which is told to make two folders.
void launch_n_in(const std::wstring& name) {
  const Folder folder{name, (system_folder() / "cmd.exe").string().c_str()};
  fs::copy_file(full(LAUNCH_N_CMD), folder.path() / L"launch_n.cmd");
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  const Copy launch{system_folder() / L"cmd.exe", {L"/c", L"launch_n.cmd", L"1", L"/c", L"mkdir one two"}};
  EXPECT_EQ(launch.exit_code(), DWORD{0});
  EXPECT_TRUE(eventually([] { return fs::exists(L"one") && fs::exists(L"two"); }))
      << folder.path() << launch.output() << launch.notes();
  fs::current_path(before);
}

TEST(LaunchN, StartsWhatIsBesideItWhateverItsPath) {
  for (const wchar_t* name : {L"a b", L"R&D", L"a^b", L"!x! y!", L"(x86) [a]", L"R & ^(a) !b!"}) launch_n_in(name);
  if (runs_under_wine()) return;  // which expands variables in what it has just expanded
  for (const wchar_t* name : {L"100%", L"%PATH%", L"50%i & ^(a) !b!"}) launch_n_in(name);
}

TEST(LaunchN, PutsEachCopyIntoAPaneOfItsOwn) {
  const Folder folder;
  const Folder terminal{L"terminal"};
  fs::copy_file(full(HELPER_EXE), terminal.path() / L"wt.exe");  // stands in for Windows Terminal
  const Variable program{L"SHARE_DATA_EXE", L"\"" + folder.exe().wstring() + L"\""};
  const Variable file{L"COMMAND_LINE_FILE", (terminal.path() / L"file").wstring()};
  const Variable path{L"PATH", terminal.path().wstring() + L";" + system_folder().wstring()};
  const Copy script = launch_n({L"3", L"--panes", L"--for", L"9"});
  EXPECT_EQ(script.exit_code(), DWORD{0}) << script.notes();
  std::ifstream stream{terminal.path() / L"file"};
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
  const Variable program{L"SHARE_DATA_EXE", folder.exe().wstring()};
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
