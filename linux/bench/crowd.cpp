#include "crowd.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string_view>

#include <fmt/format.h>

#include "failure.h"
#include "membership.h"

namespace share_data::bench {
namespace {

constexpr std::uint32_t nothing_yet = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t stop_tag = std::numeric_limits<std::uint64_t>::max();

void listen(int epoll, int fd, std::uint64_t tag) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = tag;
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) throw Failure(errno, "epoll_ctl");
}

/// What runs in the child until the program takes over. It shares the harness's memory, so it only makes
/// system calls.
[[noreturn]] void become(const char* program, char* const* arguments, int output) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // should the harness itself be killed, nobody stays behind
  setpgid(0, 0);                     // Ctrl+C is for the harness alone, which then ends all others
  sigset_t none{};
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  dup2(output, STDOUT_FILENO);
  execv(program, arguments);
  _exit(127);
}

/// vfork(2), as posix_spawn(3) does it, so that a large harness starts a process as fast as a small one.
pid_t spawn(const char* program, char* const* arguments, int output) {
  const pid_t pid = vfork();  // NOLINT: posix_spawn has no PR_SET_PDEATHSIG
  if (pid == 0) become(program, arguments, output);
  if (pid < 0) throw Failure(errno, "vfork", "see `ulimit -u` and kernel.pid_max");
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

Crowd::Crowd(const StopSignals& stop) : stop_(stop), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_.get() < 0) throw Failure(errno, "epoll_create1");
  listen(epoll_.get(), static_cast<int>(stop.wait_handle()), stop_tag);
}

Crowd::~Crowd() { kill_all(); }

void Crowd::start(const Command& command) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw Failure(errno, "pipe2", "see `ulimit -n`");
  FileDescriptor screen{ends[0]};
  const FileDescriptor output{ends[1]};
  listen(epoll_.get(), screen.get(), screens_.size());

  std::vector<char*> arguments;
  for (const std::string& argument : command.arguments) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  pids_.push_back(spawn(command.program, arguments.data(), output.get()));
  screens_.push_back(std::move(screen));
  shown_.push_back(nothing_yet);
}

void Crowd::read_screen(std::size_t index, std::uint32_t live) {
  const ssize_t size = read(screens_[index].get(), buffer_.data(), buffer_.size());
  if (size <= 0) throw WrongCount(fmt::format("process {} has ended", pids_[index]));
  const auto count = last_count({buffer_.data(), static_cast<std::size_t>(size)});
  if (!count) return;
  if (shown_[index] == live) --right_;
  if (*count == live) ++right_;
  shown_[index] = *count;
}

/// Reads what is there or comes within `patience`. True once all screens show `live`.
bool Crowd::read_screens(std::uint32_t live, std::chrono::milliseconds patience) {
  std::array<epoll_event, 256> events{};
  const int count =
      epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), static_cast<int>(patience.count()));
  for (const epoll_event& event : std::span{events.data(), static_cast<std::size_t>(std::max(count, 0))}) {
    if (event.data.u64 == stop_tag) throw Interrupted{};
    read_screen(event.data.u64, live);
  }
  return right_ == screens_.size();
}

Clock::time_point Crowd::wait_for(std::uint32_t live, std::chrono::seconds patience) {
  right_ = static_cast<std::size_t>(std::ranges::count(shown_, live));
  const auto deadline = Clock::now() + patience;
  while (right_ < screens_.size() && !read_screens(live, std::chrono::milliseconds{100})) {
    if (Clock::now() > deadline) throw WrongCount(fmt::format("{} live expected, {}", live, describe()));
  }
  return Clock::now();
}

void Crowd::wait_for_any() {
  while (std::ranges::find(shown_, nothing_yet) != shown_.end()) {
    right_ = 0;
    read_screens(0, std::chrono::milliseconds{100});
  }
}

bool Crowd::shows(std::uint32_t live) {
  right_ = static_cast<std::size_t>(std::ranges::count(shown_, live));
  return read_screens(live, std::chrono::milliseconds{0});
}

void Crowd::send(int signal) const {
  for (const pid_t pid : pids_) kill(pid, signal);
}

void Crowd::stop_all() {
  send(SIGTERM);
  for (const pid_t pid : pids_) waitpid(pid, nullptr, 0);
  pids_.clear();
  kill_all();
}

void Crowd::kill_all() {
  send(SIGKILL);
  for (const pid_t pid : pids_) waitpid(pid, nullptr, 0);
  pids_.clear();
  screens_.clear();  // closed, a screen leaves the epoll set
  shown_.clear();
}

std::string Crowd::describe() const {
  std::map<std::uint32_t, int> screens_by_count;
  for (const std::uint32_t count : shown_) ++screens_by_count[count];
  std::string text;
  for (const auto& [count, screens] : screens_by_count) {
    const auto what = count == nothing_yet ? std::string{"nothing"} : std::to_string(count);
    text += fmt::format("{}{} on {} screens", text.empty() ? "" : ", ", what, screens);
  }
  return text;
}

void pause_for(std::chrono::milliseconds time, const StopSignals& stop) {
  if (stop.raised_within(time)) throw Interrupted{};
}

}  // namespace share_data::bench
