// Processes that the harness starts, and the lines that they write.
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace share_data::bench {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

/// Not all processes have shown in time what they must show.
struct WrongCount : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Set by Ctrl+C. Each wait then ends with an exception, so that nothing is left behind.
inline volatile std::sig_atomic_t stop_requested = 0;

inline void pause_for(Milliseconds time) {
  if (poll(nullptr, 0, static_cast<int>(time.count())) != 0) throw std::runtime_error("interrupted");
}

/// A key that nobody else uses. Its segment is removed with this object, so declare it before the processes.
struct Key {
  Key() = default;
  ~Key() { shmctl(shmget(value, 0, 0), IPC_RMID, nullptr); }
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;
  static inline int count = 0;
  const int value = 0x60000000 | getpid() << 6 | (count++ % 64);  // a pid has 22 bits at most
  const std::string text = std::to_string(value);
};

/// A program, and the name that it is called by.
struct Program {
  const char* file;
  const char* name;
};

/// Processes that run the same program with the same key. The standard output of each is a pipe, which only the harness
/// reads. None of them outlives this object.
class Crowd {
 public:
  Crowd(const Program& program, const Key& key) : file_(program.file), arguments_{program.name} {
    std::ranges::copy(std::array{"--quiet", "--color", "never", "--key", key.text.c_str()}, &arguments_[1]);
  }
  ~Crowd() {
    end(SIGKILL);
    close(epoll_);
  }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  /// Starts so many more.
  void start(std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) start_one();
  }

  /// Waits until the last line of each process says that `live` copies are live. Returns the microseconds from `start`
  /// until the last of these lines was read; throws WrongCount after `patience`.
  double wait_for(std::uint32_t live, Clock::time_point start = {}, Milliseconds patience = std::chrono::seconds{60}) {
    const auto is_right = [=](std::uint32_t shown) { return shown == live; };
    for (const auto deadline = Clock::now() + patience; !std::ranges::all_of(shown_, is_right); read_lines()) {
      if (Clock::now() < deadline) continue;
      const auto right = std::ranges::count_if(shown_, is_right);
      throw WrongCount(fmt::format("{} live: shown by {} of {} {}", live, right, size(), file_));
    }
    return std::chrono::duration<double, std::micro>{Clock::now() - start}.count();
  }

  void send(int signal) const {
    for (const pid_t pid : pids_) kill(pid, signal);
  }

  /// Sends `signal` to all, and waits until they have ended.
  void end(int signal) {
    send(signal);
    for (const pid_t pid : pids_) waitpid(pid, nullptr, 0);
    for (const int pipe : pipes_) close(pipe);
    pids_.clear();
    pipes_.clear();
    shown_.clear();
  }

  [[nodiscard]] const std::vector<pid_t>& pids() const { return pids_; }
  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(pids_.size()); }

 private:
  [[noreturn]] static void fail(const char* call) { throw std::system_error(errno, std::generic_category(), call); }

  void start_one() {
    std::array<int, 2> ends{};
    epoll_event event{.events = EPOLLIN, .data = {.u64 = size()}};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) fail("pipe2 (see `ulimit -n`)");
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, ends[0], &event) != 0) fail("epoll_ctl");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    pids_.push_back(-1);
    errno = posix_spawn(&pids_.back(), file_, &actions, nullptr, const_cast<char**>(arguments_.data()), environ);
    if (errno != 0) fail("posix_spawn (see `ulimit -u`)");
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    pipes_.push_back(ends[0]);
    shown_.push_back(0);
  }

  /// Reads what is there, or comes within 100 ms. The number is the one before the last " live".
  void read_lines() {
    std::array<epoll_event, 256> events{};
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 100);
    if (stop_requested != 0) throw std::runtime_error("interrupted");
    for (int i = 0; i < count; ++i) {
      const std::size_t index = events[static_cast<std::size_t>(i)].data.u64;
      const ssize_t size = read(pipes_[index], buffer_.data(), buffer_.size());
      if (size <= 0) throw std::runtime_error(fmt::format("{} has ended", file_));
      const std::string_view text{buffer_.data(), static_cast<std::size_t>(size)};
      const auto end = text.rfind(" live");
      if (end == std::string_view::npos) continue;
      std::from_chars(&text[text.find_last_of(' ', end - 1) + 1], &text[end], shown_[index]);
    }
  }

  const char* file_;
  std::array<const char*, 7> arguments_;  ///< the last one is null
  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  std::vector<pid_t> pids_;
  std::vector<int> pipes_;
  std::vector<std::uint32_t> shown_;  ///< by each, in its last line
  std::array<char, 65536> buffer_{};  ///< as large as a pipe, so that no read ends within a line
};

}  // namespace share_data::bench
