#include "crowd.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>
#include <thread>

namespace share_data::bench {
namespace {

using std::chrono_literals::operator""ms;

constexpr std::uint32_t nothing_yet = std::numeric_limits<std::uint32_t>::max();
volatile std::sig_atomic_t interrupted = 0;

void throw_if_interrupted() {
  if (interrupted != 0) throw Interrupted{};
}

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

/// What runs in the child until the program takes over. It shares the harness's memory, so it only makes
/// system calls.
[[noreturn]] void become(const char* program, char* const* arguments, int output) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // should the harness itself be killed, nobody stays behind
  setpgid(0, 0);                     // Ctrl+C is for the harness alone, which then ends all others
  dup2(output, STDOUT_FILENO);
  execv(program, arguments);
  _exit(127);
}

/// vfork(2), as posix_spawn(3) does it, so that a large harness starts a process as fast as a small one.
/// (posix_spawn has no PR_SET_PDEATHSIG.)
pid_t spawn(const char* program, char* const* arguments, int output) {
  const pid_t pid = vfork();
  if (pid == 0) become(program, arguments, output);
  if (pid < 0) fail("vfork (see `ulimit -u` and kernel.pid_max)");
  return pid;
}

/// The number before the last " live" in `text`.
std::optional<std::uint32_t> last_count(std::string_view text) {
  const auto end = text.rfind(" live");
  if (end == std::string_view::npos) return std::nullopt;
  const auto begin = text.find_last_of(' ', end - 1) + 1;
  std::uint32_t live = 0;
  std::from_chars(text.data() + begin, text.data() + end, live);
  return live;
}

}  // namespace

void catch_stop_signals() {
  for (const int signal : {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGPIPE}) {
    if (std::signal(signal, SIG_IGN) != SIG_IGN) std::signal(signal, [](int) { interrupted = 1; });
  }
}

void pause_for(std::chrono::milliseconds time) {
  const auto end = Clock::now() + time;
  for (auto now = Clock::now(); now < end; now = Clock::now()) {
    throw_if_interrupted();
    std::this_thread::sleep_for(std::min<Clock::duration>(end - now, 100ms));
  }
}

Crowd::Crowd() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) fail("epoll_create1");
}

Crowd::~Crowd() {
  kill_all();
  close(epoll_);
}

void Crowd::start(const Command& command) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) fail("pipe2 (see `ulimit -n`)");
  const auto [screen, output] = ends;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = screens_.size();
  screens_.push_back(screen);
  shown_.push_back(nothing_yet);
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, screen, &event) != 0) fail("epoll_ctl");

  std::vector<char*> arguments;
  for (const std::string& argument : command.arguments) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  pids_.push_back(spawn(command.program, arguments.data(), output));
  close(output);
}

void Crowd::read_screen(std::size_t index) {
  const ssize_t size = read(screens_[index], buffer_.data(), buffer_.size());
  if (size <= 0) throw WrongCount(fmt::format("process {} has ended", pids_[index]));
  const std::string_view text{buffer_.data(), static_cast<std::size_t>(size)};
  shown_[index] = last_count(text).value_or(shown_[index]);
}

/// Reads what is there, or comes within `patience`.
void Crowd::read_screens(std::chrono::milliseconds patience) {
  throw_if_interrupted();
  std::array<epoll_event, 256> events{};
  const int count =
      epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), static_cast<int>(patience.count()));
  for (const epoll_event& event : std::span{events.data(), static_cast<std::size_t>(std::max(count, 0))}) {
    read_screen(event.data.u64);
  }
}

std::size_t Crowd::screens_with(std::uint32_t live) const {
  return static_cast<std::size_t>(std::ranges::count(shown_, live));
}

Clock::time_point Crowd::wait_for(std::uint32_t live, std::chrono::seconds patience) {
  const auto deadline = Clock::now() + patience;
  while (screens_with(live) < screens_.size()) {
    if (Clock::now() > deadline) {
      throw WrongCount(fmt::format("{} live on only {} of {} screens", live, screens_with(live), screens_.size()));
    }
    read_screens(100ms);
  }
  return Clock::now();
}

void Crowd::wait_for_any() {
  while (screens_with(nothing_yet) > 0) read_screens(100ms);
}

bool Crowd::shows(std::uint32_t live) {
  read_screens(0ms);
  return screens_with(live) == screens_.size();
}

void Crowd::send(int signal) const {
  for (const pid_t pid : pids_) kill(pid, signal);
}

void Crowd::end_all(int signal) {
  send(signal);
  for (const pid_t pid : pids_) waitpid(pid, nullptr, 0);
  for (const int screen : screens_) close(screen);  // closed, it leaves the epoll set
  pids_.clear();
  screens_.clear();
  shown_.clear();
}

}  // namespace share_data::bench
