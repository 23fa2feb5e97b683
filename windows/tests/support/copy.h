// Real copies of the program, started, read, stopped and cleared away by the tests.
#pragma once

#include <gtest/gtest.h>

#include <windows.h>

#include <sddl.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <regex>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include "identity.h"
#include "win32.h"

namespace share_data::test {

/// Generous, for machines that do many other things. A test that passes does not wait for it.
inline constexpr std::chrono::seconds patience{60};

/// How long a copy may take to leave once it was asked to, whatever becomes of its output: 4 s, and the rest is for a
/// very slow machine.
inline constexpr std::chrono::seconds time_to_leave{15};

using Arguments = std::vector<std::wstring>;

/// Whether the condition came true within `patience`.
inline bool eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    Sleep(5);
  }
  return true;
}

[[noreturn]] inline void fail(const char* call) {
  throw std::system_error(static_cast<int>(GetLastError()), std::system_category(), call);
}

/// Whether this is Wine, which leaves out some of what Windows does.
inline bool runs_under_wine() { return GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version") != nullptr; }

/// The absolute path of a file that the build knows. (Under Wine a Unix path becomes one of drive Z: here.)
inline std::filesystem::path full(const char* file) {
  return std::filesystem::absolute(std::filesystem::path{file}).make_preferred();
}

/// Where Windows keeps its own programs.
inline std::filesystem::path system_folder() {
  std::wstring folder(MAX_PATH, L'\0');
  folder.resize(GetSystemDirectoryW(folder.data(), static_cast<UINT>(folder.size())));
  return folder;
}

/// A name that no other test uses.
inline std::wstring unique_name() {
  static std::atomic<unsigned> count{0};
  return L"test-" + std::to_wstring(GetCurrentProcessId()) + L"-" + std::to_wstring(++count);
}

/// The options to share a mapping of this name, and more.
inline Arguments via_mapping(const std::wstring& name, const Arguments& more = {}) {
  Arguments arguments{L"--via", L"mapping", L"--name", name};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

/// The security of an object from text in SDDL; null for null.
inline std::shared_ptr<void> security(const wchar_t* text) {
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  if (text != nullptr)
    ConvertStringSecurityDescriptorToSecurityDescriptorW(text, SDDL_REVISION_1, &descriptor, nullptr);
  return {descriptor, LocalFree};
}

/// Such text: nobody may do anything. Under Wine, the owner may all the same, so let the object belong to the system.
inline const wchar_t* for_nobody() { return runs_under_wine() ? L"O:SYD:" : L"D:"; }

/// A folder of its own with a copy of the program in it, so that its section is shared with nobody but the
/// copies that this test starts.
class Folder {
 public:
  explicit Folder(const std::wstring& name_begins_with = L"share_data test", const char* program = SHARE_DATA_EXE)
      : path_(std::filesystem::temp_directory_path() / (name_begins_with + L"-" + unique_name())) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
    std::filesystem::copy_file(full(program), exe());
  }
  /// The file stays locked until the system is through with the last copy.
  ~Folder() {
    std::error_code error;
    (void)eventually([&] { return std::filesystem::remove_all(path_, error) != static_cast<std::uintmax_t>(-1); });
  }
  Folder(Folder&&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path exe() const { return path_ / L"share_data.exe"; }

 private:
  std::filesystem::path path_;
};

/// A pipe that has room for what is written until somebody looks at it, or almost none.
class Pipe {
 public:
  static constexpr DWORD roomy = 1U << 20U;
  static constexpr DWORD full = 1;  ///< whoever writes is stuck from the first line on

  explicit Pipe(DWORD size = roomy) {
    HANDLE read_end = nullptr;
    HANDLE write_end = nullptr;
    if (CreatePipe(&read_end, &write_end, nullptr, size) == 0) fail("CreatePipe");
    std::tie(read, write) = std::pair{Handle{read_end}, Handle{write_end}};
  }

  /// All that has been written.
  [[nodiscard]] const std::string& text() const {
    DWORD size = 0;
    while (PeekNamedPipe(read.get(), nullptr, 0, nullptr, &size, nullptr) != 0 && size > 0) {
      std::string more(size, '\0');
      if (ReadFile(read.get(), more.data(), size, &size, nullptr) == 0) break;
      text_.append(more, 0, size);
    }
    return text_;
  }

  Handle read;
  Handle write;

 private:
  mutable std::string text_;
};

/// Starts a process by a call that returns whether it could. Wine on a busy machine fails with an internal error now
/// and then, and not again.
inline void start_by(const char* name, const std::function<bool()>& call) {
  for (int attempt = 1; !call(); ++attempt) {
    if (attempt == 5) fail(name);
    Sleep(100);
  }
}

/// Out of the ordinary things to start a copy with.
struct Start {
  Arguments arguments = {};
  void* console = nullptr;            ///< the HPCON to attach it to
  const wchar_t* security = nullptr;  ///< of the process, in SDDL
  HANDLE output = nullptr;            ///< its standard output, instead of what output() reads
  bool suspended = false;             ///< resume() lets it run
  bool read = true;                   ///< false: nobody takes what it writes
};

/// One running copy. It does not outlive this object, nor this process.
class Copy {
 public:
  explicit Copy(const std::filesystem::path& exe, const Start& start = {})
      : output_(start.read ? Pipe::roomy : Pipe::full), errors_(start.read ? Pipe::roomy : Pipe::full) {
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits{};
    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;  // even where a test crashes
    SetInformationJobObject(job_.get(), JobObjectExtendedLimitInformation, &limits, sizeof(limits));
    create(exe, start);
    if (AssignProcessToJobObject(job_.get(), process_.get()) == 0) fail("AssignProcessToJobObject");
    if (!start.suspended) resume();
  }
  Copy(const std::filesystem::path& exe, const Arguments& arguments) : Copy(exe, Start{.arguments = arguments}) {}
  ~Copy() { terminate(); }
  Copy(Copy&&) = delete;

  [[nodiscard]] std::uint32_t pid() const { return pid_; }
  [[nodiscard]] HANDLE process() const { return process_.get(); }
  [[nodiscard]] Identity identity() const {
    FILETIME created{};
    FILETIME unused{};
    GetProcessTimes(process_.get(), &created, &unused, &unused, &unused);
    return make_identity(pid_, created.dwLowDateTime);
  }
  [[nodiscard]] std::string output() const { return output_.text(); }
  [[nodiscard]] std::string notes() const { return errors_.text(); }

  /// The count on its last line; empty before the first.
  [[nodiscard]] std::optional<unsigned> count() const {
    static const std::regex line{R"(\[(\d+)\]\s+(\d+) live[^\n]*\n)"};
    const std::string text = output();
    std::optional<unsigned> live;
    for (std::sregex_iterator match{text.begin(), text.end(), line}, end; match != end; ++match) {
      live = static_cast<unsigned>(std::stoul((*match)[2]));
    }
    return live;
  }

  [[nodiscard]] bool has_ended() const { return WaitForSingleObject(process_.get(), 0) == WAIT_OBJECT_0; }
  /// The exit code, waited for; empty if the process does not end.
  [[nodiscard]] std::optional<DWORD> exit_code() const {
    DWORD code = 0;
    const bool ended = eventually([&] { return has_ended(); });
    return ended && GetExitCodeProcess(process_.get(), &code) != 0 ? std::optional{code} : std::nullopt;
  }

  void terminate() const {
    TerminateProcess(process_.get(), 1);
    (void)eventually([&] { return has_ended(); });
  }
  void suspend() const { SuspendThread(main_thread_.get()); }
  void resume() const { ResumeThread(main_thread_.get()); }
  /// Whoever writes finds the pipe broken. For a copy whose output nobody takes.
  void break_output() { output_.read = Handle{}; }

 private:
  void create(const std::filesystem::path& exe, const Start& start) {
    std::wstring line = L"\"" + exe.wstring() + L"\"";
    for (const auto& argument : start.arguments) {
      const bool plain = !argument.empty() && argument.find(L' ') == std::wstring::npos;
      line += plain ? L" " + argument : L" \"" + argument + L"\"";
    }
    SIZE_T size = 0;
    InitializeProcThreadAttributeList(nullptr, 1, 0, &size);
    std::vector<std::byte> memory(size);
    auto* const attributes = reinterpret_cast<LPPROC_THREAD_ATTRIBUTE_LIST>(memory.data());
    if (InitializeProcThreadAttributeList(attributes, 1, 0, &size) == 0) fail("InitializeProcThreadAttributeList");
    if (start.console != nullptr && UpdateProcThreadAttribute(attributes, 0, PROC_THREAD_ATTRIBUTE_PSEUDOCONSOLE,
                                                              start.console, sizeof(HPCON), nullptr, nullptr) == 0) {
      fail("UpdateProcThreadAttribute");
    }
    STARTUPINFOEXW info{};
    info.StartupInfo.cb = sizeof(info);
    info.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
    info.StartupInfo.hStdOutput = start.output != nullptr ? start.output : output_.write.get();
    info.StartupInfo.hStdError = errors_.write.get();
    if (start.console != nullptr) info.lpAttributeList = attributes;
    for (const HANDLE handle : {output_.write.get(), errors_.write.get()}) {
      SetHandleInformation(handle, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    }
    const auto descriptor = security(start.security);
    SECURITY_ATTRIBUTES process_security{sizeof(process_security), descriptor.get(), FALSE};
    PROCESS_INFORMATION process{};
    start_by("CreateProcess", [&] {
      return CreateProcessW(nullptr, line.data(), &process_security, nullptr, TRUE,
                            EXTENDED_STARTUPINFO_PRESENT | CREATE_SUSPENDED, nullptr, nullptr, &info.StartupInfo,
                            &process) != 0;
    });
    DeleteProcThreadAttributeList(attributes);
    process_ = Handle{process.hProcess};
    main_thread_ = Handle{process.hThread};
    pid_ = process.dwProcessId;
    output_.write = Handle{};  // or nobody would see the end of the output
    errors_.write = Handle{};
  }

  Pipe output_;
  Pipe errors_;
  Handle job_{CreateJobObjectW(nullptr, nullptr)};
  Handle process_;
  Handle main_thread_;
  std::uint32_t pid_ = 0;
};

using Copies = std::list<Copy>;

inline void start(Copies& copies, std::size_t count, const std::filesystem::path& exe, const Start& how = {}) {
  for (std::size_t i = 0; i < count; ++i) copies.emplace_back(exe, how);
}

inline bool matches(const std::string& text, const std::string& pattern) {
  return std::regex_search(text, std::regex{pattern});
}

/// Waits until the condition is true of the copy. The text of a failure is what it has written.
template <typename Condition>
testing::AssertionResult wait_for(const Copy& copy, Condition condition) {
  if (eventually([&] { return condition(copy); })) return testing::AssertionSuccess();
  return testing::AssertionFailure() << copy.pid() << ":\n" << copy.output() << copy.notes();
}

/// Waits until the last line of the copy shows `live`.
inline testing::AssertionResult shows(const Copy& copy, unsigned live) {
  return wait_for(copy, [&](const Copy& one) { return one.count() == live; });
}
inline testing::AssertionResult all_show(const Copies& copies, unsigned live) {
  const auto right = [&](const Copy& copy) { return copy.count() == live; };
  if (eventually([&] { return std::ranges::all_of(copies, right); })) return testing::AssertionSuccess();
  auto failure = testing::AssertionFailure();
  for (const Copy& copy : copies) failure << copy.output() << copy.notes();
  return failure;
}

/// Waits until what the copy has written to standard output, or to standard error, matches a regular expression.
inline testing::AssertionResult says(const Copy& copy, const std::string& pattern) {
  return wait_for(copy, [&](const Copy& one) { return matches(one.output(), pattern); });
}
inline testing::AssertionResult notes(const Copy& copy, const std::string& pattern) {
  return wait_for(copy, [&](const Copy& one) { return matches(one.notes(), pattern); });
}

/// What a copy that ends by itself with exit code 0 writes to standard output.
inline std::string output_of(const Folder& folder, const Arguments& arguments) {
  const Copy copy{folder.exe(), arguments};
  EXPECT_EQ(copy.exit_code(), DWORD{0}) << copy.notes();
  (void)eventually([&] { return !copy.output().empty(); });
  return copy.output();
}

/// A console that no one sees, with the copies that are started in it.
class PseudoConsole {
 public:
  PseudoConsole() {
    SetConsoleCtrlHandler(nullptr, FALSE);  // whoever ignores Ctrl+C, as this process may do, hands that down
    start_by("CreatePseudoConsole", [&] {
      return CreatePseudoConsole({80, 25}, keyboard_.read.get(), screen_.write.get(), 0, &console_) == S_OK;
    });
  }
  ~PseudoConsole() { close(); }
  PseudoConsole(PseudoConsole&&) = delete;

  [[nodiscard]] void* handle() const { return console_; }

  /// Has all processes in the console get CTRL_C_EVENT or CTRL_BREAK_EVENT. The event goes to the console of whoever
  /// calls, so a process has to be started there to call. (Windows would take the character 3 from the keyboard's pipe
  /// just as well, Wine does not.)
  void send(DWORD event) const {
    const Copy sender{full(HELPER_EXE), Start{.arguments = {std::to_wstring(event)}, .console = console_}};
    EXPECT_EQ(sender.exit_code(), DWORD{0});
  }

  /// Closes the window.
  void close() {
    if (console_ != nullptr) ClosePseudoConsole(std::exchange(console_, nullptr));
  }

 private:
  Pipe screen_;
  Pipe keyboard_;
  void* console_ = nullptr;
};

}  // namespace share_data::test
