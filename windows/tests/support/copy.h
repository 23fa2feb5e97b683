// One running copy of the program, as a test sees it: started in a folder of its own, read, stopped and cleared away.
#pragma once

#include <windows.h>

#include <sddl.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "identity.h"
#include "win32.h"

namespace share_data::test {

/// Generous, for machines that do many other things. A test that passes does not wait for it.
inline constexpr std::chrono::seconds patience{60};

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

/// Throws unless the system call has succeeded.
inline void check(bool succeeded, const char* call) {
  if (!succeeded) throw std::system_error(static_cast<int>(GetLastError()), std::system_category(), call);
}

/// Whether this is Wine, which leaves out some of what Windows does.
inline bool runs_under_wine() { return GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version") != nullptr; }

/// Where Windows keeps its own programs.
inline std::filesystem::path system_folder() { return std::filesystem::path{std::getenv("SystemRoot")} / "system32"; }

/// A name that no other test uses.
inline std::wstring unique_name() {
  static unsigned count = 0;
  return L"test-" + std::to_wstring(GetCurrentProcessId()) + L"-" + std::to_wstring(++count);
}

/// The security of an object with which nobody may do anything. Under Wine, the owner may all the same, so the object
/// belongs to the system there.
inline std::shared_ptr<void> for_nobody() {
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  ConvertStringSecurityDescriptorToSecurityDescriptorW(runs_under_wine() ? L"O:SYD:" : L"D:", SDDL_REVISION_1,
                                                       &descriptor, nullptr);
  return {descriptor, LocalFree};
}

/// A folder of its own with a copy of the program in it, so that its section is shared with nobody but the
/// copies that this test starts.
class Folder {
 public:
  explicit Folder(const std::filesystem::path& program = SHARE_DATA_EXE,
                  const std::wstring& name_begins_with = L"share_data test")
      : path_(std::filesystem::temp_directory_path() / (name_begins_with + L"-" + unique_name())) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
    std::filesystem::copy_file(program, exe());
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
    check(CreatePipe(&read_end, &write_end, nullptr, size) != 0, "CreatePipe");
    read.reset(read_end);
    write.reset(write_end);
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

/// Out of the ordinary things to start a copy with.
struct Start {
  Arguments arguments = {};
  HANDLE output = nullptr;   ///< its standard output, instead of what output() reads
  bool guarded = false;      ///< nobody may open the process, until it allows something
  bool own_console = false;  ///< one that no one sees; see press()
  bool suspended = false;    ///< resume() lets it run
  bool read = true;          ///< false: nobody takes what it writes
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
    check(AssignProcessToJobObject(job_.get(), process_.get()) != 0, "AssignProcessToJobObject");
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
    const std::string text = output();
    const std::string lines = text.substr(0, text.rfind('\n') + 1);  // those that are complete
    const auto end = lines.rfind(" live");
    if (end == std::string::npos) return std::nullopt;
    return static_cast<unsigned>(std::stoul(lines.substr(lines.rfind(']', end) + 1)));
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
  /// Has it get CTRL_C_EVENT or CTRL_BREAK_EVENT, as if somebody pressed the keys in its own console. The event goes to
  /// the console of whoever calls, so another process attaches itself to this console to call.
  void press(DWORD event) const {
    const Copy keyboard{HELPER_EXE, {std::to_wstring(pid_), std::to_wstring(event)}};
    check(keyboard.exit_code() == DWORD{0}, "GenerateConsoleCtrlEvent");
  }

 private:
  void create(const std::filesystem::path& exe, const Start& start) {
    std::wstring line = L"\"" + std::filesystem::path{exe}.make_preferred().wstring() + L"\"";
    for (const auto& argument : start.arguments) {
      const bool plain = !argument.empty() && argument.find(L' ') == std::wstring::npos;
      line += plain ? L" " + argument : L" \"" + argument + L"\"";
    }
    STARTUPINFOW info{};
    info.cb = sizeof(info);
    info.dwFlags = STARTF_USESTDHANDLES;
    info.hStdOutput = start.output != nullptr ? start.output : output_.write.get();
    info.hStdError = errors_.write.get();
    for (const HANDLE handle : {info.hStdOutput, info.hStdError}) {
      SetHandleInformation(handle, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    }
    const auto descriptor = start.guarded ? for_nobody() : nullptr;
    SECURITY_ATTRIBUTES security{sizeof(security), descriptor.get(), FALSE};
    PROCESS_INFORMATION process{};
    SetConsoleCtrlHandler(nullptr, FALSE);  // or the copy would ignore Ctrl+C if this process does
    const auto create_process = [&] {
      return CreateProcessW(nullptr, line.data(), &security, nullptr, TRUE,
                            CREATE_SUSPENDED | (start.own_console ? CREATE_NO_WINDOW : 0), nullptr, nullptr, &info,
                            &process) != 0;
    };
    check(eventually(create_process), "CreateProcess");  // Wine on a busy machine fails now and then, and not again
    process_.reset(process.hProcess);
    main_thread_.reset(process.hThread);
    pid_ = process.dwProcessId;
    output_.write.reset();  // or nobody would see the end of the output
    errors_.write.reset();
  }

  Pipe output_;
  Pipe errors_;
  Handle job_{CreateJobObjectW(nullptr, nullptr)};
  Handle process_;
  Handle main_thread_;
  std::uint32_t pid_ = 0;
};

}  // namespace share_data::test
