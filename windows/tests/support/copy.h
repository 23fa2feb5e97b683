// Real copies of the program, started, read, stopped and cleared away by the tests.
#pragma once

#include <windows.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "win32.h"

namespace share_data::test {

/// Generous, for machines that do many other things. A test that passes does not wait for it.
inline constexpr std::chrono::seconds patience{60};

/// How long a copy may take to leave once it was asked to, whatever becomes of its output.
inline constexpr std::chrono::seconds time_to_leave{4};

/// Whether the condition came true within `patience`.
bool eventually(const std::function<bool()>& condition);

/// Whether this is Wine, which leaves out some of what Windows does.
bool runs_under_wine();

/// The absolute path of a file that the build knows.
std::filesystem::path full(const char* file);

/// A folder of its own with a copy of the program in it, so that its section is shared with nobody but the
/// copies that this test starts.
class Folder {
 public:
  explicit Folder(const std::wstring& name_begins_with = L"share_data test", const char* program = SHARE_DATA_EXE);
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  Folder(Folder&&) = delete;
  Folder& operator=(Folder&&) = delete;

  [[nodiscard]] std::filesystem::path exe() const { return path_ / L"share_data.exe"; }

 private:
  std::filesystem::path path_;
};

/// A name for a mapping that no other test uses.
std::wstring unique_name();

/// Collects what comes out of a pipe.
class Collector {
 public:
  Collector();
  ~Collector();
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;
  Collector(Collector&&) = delete;
  Collector& operator=(Collector&&) = delete;

  /// The end to write to, which the child inherits. Close it then, or nobody sees the end of the output.
  [[nodiscard]] HANDLE write_end() const { return write_end_.get(); }
  void close_write_end() { write_end_ = Handle{}; }
  /// Whoever writes finds the pipe broken. Not after start().
  void close_read_end() { read_end_ = Handle{}; }
  /// Starts to read.
  void start();
  [[nodiscard]] std::string text() const;

 private:
  void read();

  Handle read_end_;
  Handle write_end_;
  mutable std::mutex mutex_;
  std::string text_;
  std::thread thread_;
};

/// Out of the ordinary things to start a copy with.
struct Start {
  std::vector<std::wstring> arguments = {};
  void* console = nullptr;            ///< the HPCON to attach it to
  const wchar_t* security = nullptr;  ///< of the process, in SDDL
  bool suspended = false;             ///< resume() lets it run
  bool read_output = true;            ///< false: nobody takes what it writes to standard output
  bool read_notes = true;             ///< false: nobody takes what it writes to standard error
};

/// One running copy. It does not outlive this object, nor this process.
class Copy {
 public:
  explicit Copy(const std::filesystem::path& exe, Start start = {});
  Copy(const std::filesystem::path& exe, std::vector<std::wstring> arguments);
  ~Copy();
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;
  Copy(Copy&&) = delete;
  Copy& operator=(Copy&&) = delete;

  [[nodiscard]] std::uint32_t pid() const { return pid_; }
  [[nodiscard]] HANDLE process() const { return process_.get(); }

  /// The count on its last line; empty before the first.
  [[nodiscard]] std::optional<unsigned> shows() const;
  [[nodiscard]] std::string output() const { return output_.text(); }
  [[nodiscard]] std::string notes() const { return errors_.text(); }

  /// The exit code, waited for; empty if the process does not end.
  [[nodiscard]] std::optional<DWORD> exit_code() const;

  void terminate() const;
  void suspend() const { SuspendThread(main_thread_.get()); }
  void resume() const { ResumeThread(main_thread_.get()); }
  void break_output() { output_.close_read_end(); }

 private:
  Collector output_;
  Collector errors_;
  Handle job_;
  Handle process_;
  Handle main_thread_;
  std::uint32_t pid_ = 0;
};

/// A console that no one sees, with the copies that are started in it.
class PseudoConsole {
 public:
  PseudoConsole();
  ~PseudoConsole();
  PseudoConsole(const PseudoConsole&) = delete;
  PseudoConsole& operator=(const PseudoConsole&) = delete;
  PseudoConsole(PseudoConsole&&) = delete;
  PseudoConsole& operator=(PseudoConsole&&) = delete;

  [[nodiscard]] void* handle() const { return console_; }

  /// Has all processes in the console get CTRL_C_EVENT or CTRL_BREAK_EVENT.
  void send(DWORD event) const;

  /// Closes the window.
  void close();

 private:
  Collector screen_;
  Handle keyboard_;
  void* console_ = nullptr;
};

}  // namespace share_data::test
