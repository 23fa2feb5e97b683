// One running copy of the real program, as a test sees it: its lines, its notes, its end.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "child.h"

namespace share_data::test {

/// How to start a copy.
struct Launch {
  std::string program = SHARE_DATA_PROGRAM;
  std::vector<std::string> options = {};   ///< what follows `--key KEY`
  std::vector<std::string> through = {};   ///< a command that runs the program, such as strace
  std::function<void()> before_exec = {};  ///< what the child does last; only calls that are safe after fork
  bool on_terminal = false;                ///< standard output is a terminal of its own, else a pipe
};

/// The count on a line, text or JSON. Empty if the line has no count.
[[nodiscard]] inline std::optional<int> live_on(const std::string& line) {
  const std::string field = R"("live":)";
  if (const auto json = line.find(field); json != std::string::npos) return std::stoi(line.substr(json + field.size()));
  const auto end = line.find(" live");
  if (end == std::string::npos) return std::nullopt;
  const auto before = line.find_last_not_of("0123456789", end - 1);
  const std::string digits = line.substr(before + 1, end - before - 1);
  return digits.empty() ? std::nullopt : std::optional{std::stoi(digits)};
}

/// Starts the program, and kills it at the end at the latest. It removes nothing from shared memory.
class Copy {
 public:
  /// Without a key, the program gets no option but those in `launch`.
  explicit Copy(key_t key, const Launch& launch = {}) {
    std::vector<std::string> words = launch.through;
    words.push_back(launch.program);
    if (key != 0) words.insert(words.end(), {"--key", std::to_string(static_cast<std::uint32_t>(key))});
    words.insert(words.end(), launch.options.begin(), launch.options.end());
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const FileDescriptor output = output_.open(launch.on_terminal);
    const FileDescriptor notes = notes_.open(false);
    pid_ = check(fork(), "fork");
    if (pid_ == 0) become(arguments, launch, output.get(), notes.get());
  }
  Copy(Copy&&) noexcept = default;
  Copy& operator=(Copy&&) noexcept = default;  // the one that it was before must have ended

  ~Copy() {
    if (notes_.fd.get() < 0) return;  // it was moved
    destroy();
    for (const char* const report : {"Sanitizer", "runtime error:"}) {
      EXPECT_EQ(notes().find(report), std::string::npos) << "copy " << pid_ << " says:\n" << notes();
    }
  }

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] Word tid() const { return static_cast<Word>(pid_); }

  /// The complete lines it has written until now.
  const std::vector<std::string>& lines() {
    output_.read_what_is_there();
    const std::string& text = output_.text;
    for (std::size_t end = 0; (end = text.find('\n', line_start_)) != std::string::npos; line_start_ = end + 1) {
      lines_.push_back(text.substr(line_start_, end - line_start_));
    }
    return lines_;
  }

  /// All that it has written to standard output, and to standard error, until now.
  const std::string& output() { return output_.read_what_is_there(); }
  const std::string& notes() { return notes_.read_what_is_there(); }

  /// The count on the last line. Empty if there is no line yet.
  [[nodiscard]] std::optional<int> shown() { return lines().empty() ? std::nullopt : live_on(lines_.back()); }

  /// Waits until it has joined: the count on its first line.
  [[nodiscard]] std::optional<int> shown_first() { return prints("joined") ? live_on(lines_.front()) : std::nullopt; }

  /// Waits for a line that contains `text`.
  bool prints(const std::string& text) {
    const auto has_it = [&](const std::string& line) { return line.find(text) != line.npos; };
    return eventually([&] { return std::ranges::any_of(lines(), has_it); });
  }

  void signal(int number) const { kill(pid_, number); }

  [[nodiscard]] bool ended() {
    int status = 0;
    if (!exit_code_ && waitpid(pid_, &status, WNOHANG) == pid_) exit_code_ = code_of(status);
    return exit_code_.has_value();
  }

  /// Waits for the end: the exit code, or minus the number of the signal that killed it. -1000 if it does not end.
  int exit_code() {
    // A full pipe would keep it from ending, so somebody has to read.
    eventually([&] {
      output();
      notes();
      return ended();
    });
    lines();
    return exit_code_.value_or(-1000);
  }

  /// Asks it to leave and waits until it has.
  int stop() {
    signal(SIGTERM);
    return exit_code();
  }

  /// Kills it and waits until it is no more.
  void destroy() {
    if (!exit_code_) signal(SIGKILL);
    exit_code();
  }

  /// Nobody reads its output any more: the pipe breaks, the terminal hangs up.
  void close_output() { output_.fd = FileDescriptor{}; }

 private:
  struct Stream {
    FileDescriptor fd;
    std::string text;

    /// Returns the end that is for writing.
    FileDescriptor open(bool terminal) {
      std::array<int, 2> fds{-1, -1};
      check(terminal ? openpty(&fds[0], &fds[1], nullptr, nullptr, nullptr) : pipe(fds.data()), "openpty or pipe");
      for (const int each : fds) check(fcntl(each, F_SETFD, FD_CLOEXEC), "fcntl");
      check(fcntl(fds[0], F_SETFL, O_NONBLOCK), "fcntl");
      fd = FileDescriptor{fds[0]};
      return FileDescriptor{fds[1]};
    }

    const std::string& read_what_is_there() {
      std::array<char, 4096> buffer{};
      ssize_t size = 0;
      while (fd.get() >= 0 && (size = read(fd.get(), buffer.data(), buffer.size())) > 0) {
        text.append(buffer.data(), static_cast<std::size_t>(size));
      }
      return text;
    }
  };

  /// In the child, after fork(): only system calls.
  [[noreturn]] static void become(const std::vector<char*>& arguments, const Launch& launch, int output, int notes) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that is killed takes its copies with it
    if (launch.on_terminal) {
      setsid();
      ioctl(output, TIOCSCTTY, 0);
      dup2(output, STDIN_FILENO);
      // A terminal that is closed sends SIGCONT, too, and LeakSanitizer waits forever if that comes while it looks for
      // leaks.
      setenv("ASAN_OPTIONS", "detect_leaks=0", 1);  // NOLINT(concurrency-mt-unsafe): one thread
    }
    dup2(output, STDOUT_FILENO);
    dup2(notes, STDERR_FILENO);
    if (launch.before_exec) launch.before_exec();
    execvp(arguments.front(), arguments.data());
    _exit(127);
  }

  pid_t pid_ = -1;
  std::optional<int> exit_code_;
  Stream output_;
  Stream notes_;
  std::size_t line_start_ = 0;
  std::vector<std::string> lines_;
};

}  // namespace share_data::test
