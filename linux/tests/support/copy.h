// One running copy of the real program, as a test sees it: its lines, its notes, its end.
#pragma once

#include <csignal>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "system_calls.h"

namespace share_data::test {

/// How to start a copy.
struct Launch {
  std::vector<std::string> options = {};   ///< what follows `--key KEY`
  std::vector<std::string> through = {};   ///< a command that runs the program, such as strace
  std::function<void()> before_exec = {};  ///< what the child does last; only calls that are safe after fork
  bool on_terminal = false;                ///< standard output is a terminal of its own, else a pipe
};

/// What the program has printed to standard output and to standard error, and its exit code.
struct Answer {
  int exit_code;
  std::string output;
  std::string notes;
};

/// Starts the program, and kills it at the end at the latest. It removes nothing from shared memory.
class Copy {
 public:
  explicit Copy(key_t key, const Launch& launch = {});
  Copy(Copy&& other) noexcept { *this = std::move(other); }
  Copy& operator=(Copy&& other) noexcept;
  ~Copy();

  [[nodiscard]] pid_t pid() const { return pid_; }

  /// The complete lines it has written until now.
  [[nodiscard]] const std::vector<std::string>& lines();

  /// All that it has written to standard output, and to standard error, until now.
  [[nodiscard]] const std::string& output();
  [[nodiscard]] const std::string& notes();

  /// The count on the last line. Empty if there is no line yet.
  [[nodiscard]] std::optional<int> shown();

  /// Waits until it has joined: the count on its first line.
  [[nodiscard]] std::optional<int> shown_first();

  /// Waits for a line that contains `text`.
  bool prints(const std::string& text);

  void signal(int number) const { kill(pid_, number); }

  /// Waits for the end: the exit code, or minus the number of the signal that killed it. Empty if it does not end.
  std::optional<int> exit_code();

  /// The same with all that it has written. The exit code is -1000 if it does not end.
  [[nodiscard]] Answer answer();

  /// Asks it to leave and waits until it has.
  std::optional<int> stop();

  /// Kills it and waits until it is no more.
  void destroy();

  [[nodiscard]] bool ended();

  /// Nobody reads its output any more: the pipe breaks, the terminal hangs up.
  void close_output() { output_.fd = FileDescriptor{}; }

 private:
  struct Stream {
    FileDescriptor fd;
    std::string text;
    void read_what_is_there();
  };

  pid_t pid_ = -1;
  std::optional<int> exit_code_;
  Stream output_;
  Stream notes_;
  std::size_t line_start_ = 0;
  std::vector<std::string> lines_;
};

/// The count on a line, text or JSON. Empty if the line has no count.
[[nodiscard]] std::optional<int> live_on(const std::string& line);

/// Runs the program to its end, with these options and nothing else.
[[nodiscard]] Answer ask(const std::vector<std::string>& options);

}  // namespace share_data::test
