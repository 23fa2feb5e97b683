// scripts/launch_n.cmd, run by the system's command interpreter.
#include <gtest/gtest.h>

#include <windows.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <system_error>
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

/// Ends all copies that --status shows.
void end_all(const std::string& status) {
  const std::regex line{"\n *(\\d+) "};
  for (std::sregex_iterator match{status.begin(), status.end(), line}, end; match != end; ++match) {
    const Handle process{OpenProcess(PROCESS_TERMINATE, FALSE, static_cast<DWORD>(std::stoul((*match)[1])))};
    TerminateProcess(process.get(), 1);
  }
}

/// Has the script start something that starts the program. What it starts has a window to write to, except in Wine
/// without a display.
class Wrapper {
 public:
  explicit Wrapper(const Folder& folder) {
    const fs::path file = folder.exe().parent_path() / L"wrapper.cmd";
    std::ofstream{file} << "@\"%~dp0share_data.exe\" %* >nul 2>nul & exit\n";
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
  end_all(status(folder));
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

/// While it lives, a stand-in for Windows Terminal is found in PATH. It writes down how it was called.
class Terminal {
 public:
  Terminal() {
    fs::create_directory(folder_);
    fs::copy_file(full(WRITE_COMMAND_LINE_EXE), folder_ / L"wt.exe");
    SetEnvironmentVariableW(L"PATH", (folder_.wstring() + L";" + path_).c_str());
    SetEnvironmentVariableW(L"COMMAND_LINE_FILE", file().c_str());
  }
  ~Terminal() {
    SetEnvironmentVariableW(L"PATH", path_.c_str());
    std::error_code error;
    fs::remove_all(folder_, error);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  Terminal(Terminal&&) = delete;
  Terminal& operator=(Terminal&&) = delete;

  [[nodiscard]] std::string arguments() const {
    std::ifstream stream{file()};
    std::string text{std::istreambuf_iterator<char>{stream}, {}};
    text.erase(text.find_last_not_of(' ') + 1);  // of Wine
    return text.substr(std::min(text.find("new-tab"), text.size()));
  }

 private:
  static std::wstring path() {
    std::wstring text(32'767, L'\0');
    text.resize(GetEnvironmentVariableW(L"PATH", text.data(), static_cast<DWORD>(text.size())));
    return text;
  }
  [[nodiscard]] fs::path file() const { return folder_ / L"arguments"; }

  std::wstring path_ = path();
  fs::path folder_ = fs::temp_directory_path() / (L"terminal " + unique_name());
};

/// While it lives, the script takes this program. It may be in quotes.
class Program {
 public:
  explicit Program(const std::wstring& exe) { SetEnvironmentVariableW(L"SHARE_DATA_EXE", exe.c_str()); }
  ~Program() { SetEnvironmentVariableW(L"SHARE_DATA_EXE", nullptr); }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  Program(Program&&) = delete;
  Program& operator=(Program&&) = delete;
};

TEST(LaunchN, PutsEachCopyIntoAPaneOfItsOwn) {
  const Folder folder;
  const Terminal terminal;
  const Program program{L"\"" + folder.exe().wstring() + L"\""};
  const Copy script = launch_n({L"3", L"--panes", L"--for", L"9"});
  EXPECT_EQ(script.exit_code(), DWORD{0}) << script.notes();
  const std::string copy = "\"" + folder.exe().string() + "\" --for 9";
  EXPECT_EQ(terminal.arguments(), "new-tab --title \"share_data\" " + copy + " ; split-pane --horizontal --size 0.66 " +
                                      copy + " ; split-pane --horizontal --size 0.50 " + copy);
}

TEST(LaunchN, SaysSoIfThereIsNoTerminalForPanes) {
  const Folder folder{L"launch_n"};
  const Wrapper wrapper{folder};
  const Copy script = launch_n({L"1", L"--panes", L"--for", L"120"});
  EXPECT_TRUE(eventually([&] { return script.output().find("there is no Windows Terminal") != std::string::npos; }))
      << script.output() << script.notes();
  EXPECT_TRUE(eventually([&] { return status(folder).starts_with("1 live\n"); })) << script.notes();
  end_all(status(folder));
}

TEST(LaunchN, FailsIfACopyCannotBeStarted) {
  if (!runs_under_wine()) GTEST_SKIP() << "Windows shows a dialog";
  const Folder folder;
  fs::resize_file(folder.exe(), 0);
  const Program program{folder.exe().wstring()};
  const Copy script = launch_n({L"2"});
  EXPECT_EQ(script.exit_code(), DWORD{1});
  EXPECT_TRUE(eventually([&] { return script.notes().find("launch_n: copy 1 could not") != std::string::npos; }))
      << script.notes();
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
  EXPECT_TRUE(eventually([&] { return script.output().find("launch_n [N] [--panes]") != std::string::npos; }))
      << script.output();
}

}  // namespace
}  // namespace share_data::test
