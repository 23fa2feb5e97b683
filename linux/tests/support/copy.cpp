#include "copy.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "waiting.h"

namespace share_data::test {
namespace {

/// Both ends of what a copy writes into.
struct Channel {
  FileDescriptor reading;
  FileDescriptor writing;
};

Channel make_channel(bool terminal) {
  std::array<int, 2> fds{-1, -1};
  if (terminal) {
    check(openpty(&fds[0], &fds[1], nullptr, nullptr, nullptr), "openpty");
    for (const int fd : fds) check(fcntl(fd, F_SETFD, FD_CLOEXEC), "fcntl");
  } else {
    check(pipe2(fds.data(), O_CLOEXEC), "pipe2");
  }
  check(fcntl(fds[0], F_SETFL, O_NONBLOCK), "fcntl");
  return {FileDescriptor{fds[0]}, FileDescriptor{fds[1]}};
}

/// In the child, after fork(): only system calls.
[[noreturn]] void become(const std::vector<char*>& arguments, const Launch& launch, int output, int notes) {
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

}  // namespace

Copy::Copy(key_t key, const Launch& launch) {
  std::vector<std::string> words = launch.through;
  words.emplace_back(SHARE_DATA_PROGRAM);
  if (key != 0) words.insert(words.end(), {"--key", std::to_string(static_cast<std::uint32_t>(key))});
  words.insert(words.end(), launch.options.begin(), launch.options.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  Channel output = make_channel(launch.on_terminal);
  Channel notes = make_channel(false);
  pid_ = check(fork(), "fork");
  if (pid_ == 0) become(arguments, launch, output.writing.get(), notes.writing.get());
  output_.fd = std::move(output.reading);
  notes_.fd = std::move(notes.reading);
}

Copy& Copy::operator=(Copy&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(exit_code_, other.exit_code_);
  std::swap(output_, other.output_);
  std::swap(notes_, other.notes_);
  std::swap(line_start_, other.line_start_);
  std::swap(lines_, other.lines_);
  return *this;
}

Copy::~Copy() {
  if (pid_ < 0) return;
  destroy();
  for (const char* const report : {"Sanitizer", "runtime error:"}) {
    EXPECT_EQ(notes().find(report), std::string::npos) << "copy " << pid_ << " says:\n" << notes();
  }
}

void Copy::Stream::read_what_is_there() {
  std::array<char, 4096> buffer{};
  ssize_t size = 0;
  while (fd.get() >= 0 && (size = read(fd.get(), buffer.data(), buffer.size())) > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(size));
  }
}

const std::vector<std::string>& Copy::lines() {
  output_.read_what_is_there();
  for (std::size_t end = 0; (end = output_.text.find('\n', line_start_)) != std::string::npos; line_start_ = end + 1) {
    lines_.push_back(output_.text.substr(line_start_, end - line_start_));
  }
  return lines_;
}

const std::string& Copy::output() {
  (void)lines();
  return output_.text;
}

const std::string& Copy::notes() {
  notes_.read_what_is_there();
  return notes_.text;
}

std::optional<int> Copy::shown() { return lines().empty() ? std::nullopt : live_on(lines_.back()); }

std::optional<int> Copy::shown_first() { return prints("joined") ? live_on(lines_.front()) : std::nullopt; }

bool Copy::prints(const std::string& text) {
  return eventually([&] {
    return std::ranges::any_of(lines(), [&](const std::string& line) { return line.find(text) != line.npos; });
  });
}

bool Copy::ended() {
  if (exit_code_) return true;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return false;
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return true;
}

std::optional<int> Copy::exit_code() {
  // A full pipe would keep it from ending, so somebody has to read.
  eventually([&] {
    (void)lines();
    (void)notes();
    return ended();
  });
  (void)lines();
  return exit_code_;
}

Answer Copy::answer() {
  const int code = exit_code().value_or(-1000);
  return {code, output(), notes()};
}

std::optional<int> Copy::stop() {
  signal(SIGTERM);
  return exit_code();
}

void Copy::destroy() {
  if (!exit_code_) signal(SIGKILL);
  exit_code();
}

std::optional<int> live_on(const std::string& line) {
  const std::string field = R"("live":)";
  if (const auto json = line.find(field); json != std::string::npos) return std::stoi(line.substr(json + field.size()));
  const auto end = line.find(" live");
  if (end == std::string::npos) return std::nullopt;
  const auto before = line.find_last_not_of("0123456789", end - 1);
  const std::string digits = line.substr(before + 1, end - before - 1);
  return digits.empty() ? std::nullopt : std::optional{std::stoi(digits)};
}

Answer ask(const std::vector<std::string>& options) { return Copy{0, {.options = options}}.answer(); }

}  // namespace share_data::test
