// What share_data is compared with. The command line is share_data's; what the program does depends on the name that it
// is called by. The baseline program counts nothing and does the least that the system could take for the same, so what
// share_data takes longer is the price of the count:
//   print        prints one line
//   start        notifies, then prints one line
//   wait         prints one line each time that somebody notifies: in turns "1 live" and "2 live"
//   own          has the kernel mark `owner` when it is killed
//   watch-mark   notifies when the kernel has marked `owner`
//   watch-pidfd  notifies when a pidfd says that the owner has ended
// The way of the article that share_data grew out of, reconstructed from its description:
//   article      changes a text in a segment without atomic operations, and polls it every 10 ms
#include "baseline.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "common_options.h"

namespace share_data::bench {
namespace {

struct Options {
  LogStyle style;
  std::optional<stop_request::Duration> run_for;
  std::optional<std::uint32_t> max;
  bool status = false;
  std::uint32_t key = 0;
};

/// As long as the line that share_data writes about the same.
std::string line(int live) {
  return fmt::format("12:34:56.789  {:<7} {:>4} live  + 12345\n", fmt::format("[{}]", getpid()), live);
}

void print(const std::string& text) {
  if (write(STDOUT_FILENO, text.data(), text.size()) < 0) std::_Exit(1);
}

void futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t seen) {
  syscall(SYS_futex, &word, FUTEX_WAIT, seen, nullptr, nullptr, 0);
}

[[noreturn]] void wait_for_changes(const Board& board) {
  const std::array lines{line(1), line(2)};  // nothing but the wake and the write is in the measured time
  for (std::uint32_t seen = board.changes;; seen = board.changes) {
    print(lines[seen % 2]);
    while (board.changes == seen) futex_wait(board.changes, seen);
  }
}

/// Registers a robust list with `owner` as its only entry, as robust_list.h explains.
void register_owner(std::atomic<std::uint32_t>& owner) {
  struct RobustList {
    robust_list_head head;
    robust_list node;
  };
  void* const page = mmap(nullptr, sizeof(RobustList), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) std::_Exit(1);
  auto& list = *static_cast<RobustList*>(page);
  list.node.next = &list.head.list;
  list.head.list.next = &list.node;
  list.head.futex_offset = reinterpret_cast<char*>(&owner) - reinterpret_cast<char*>(&list.node);
  syscall(SYS_set_robust_list, &list.head, sizeof list.head);
}

void wait_for_mark(const std::atomic<std::uint32_t>& owner) {
  for (std::uint32_t seen = owner; (seen & FUTEX_OWNER_DIED) == 0; seen = owner) futex_wait(owner, seen);
}

void wait_for_pidfd(std::uint32_t owner) {
  const auto fd = static_cast<int>(syscall(SYS_pidfd_open, owner & FUTEX_TID_MASK, 0U));
  pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
  if (fd < 0 || poll(&entry, 1, -1) < 0) std::_Exit(1);
}

volatile std::sig_atomic_t stop_requested = 0;

void article_way(std::array<char, 5>& text) {
  const auto count = [&] { return static_cast<int>(std::strtol(text.data(), nullptr, 10)); };
  const auto add = [&](int change) { (void)std::snprintf(text.data(), text.size(), "%d", count() + change); };
  (void)std::signal(SIGTERM, [](int) { stop_requested = 1; });
  add(1);
  for (int shown = 0; stop_requested == 0; usleep(10'000)) {
    if (count() == shown) continue;
    shown = count();
    print(line(shown));
  }
  add(-1);
  std::_Exit(0);
}

void play(std::string_view role, key_t key) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // nobody stays behind if the harness is killed
  if (role == "wait") wait_for_changes(attach(key));
  if (role == "article") article_way(attach(key).article);
  if (role == "start") notify(attach(key));
  if (role == "own") register_owner(attach(key).owner);
  print(line(1));
  if (role == "watch-mark") wait_for_mark(attach(key).owner);
  if (role == "watch-pidfd") wait_for_pidfd(attach(key).owner);
  if (role.starts_with("watch")) notify(attach(key));
}

}  // namespace
}  // namespace share_data::bench

int main(int argc, char** argv) {
  using namespace share_data;
  CLI::App app;
  bench::Options options;
  add_common_options(app, options);
  app.add_option("--key", options.key)->transform(whole_number());
  CLI11_PARSE(app, argc, argv);
  bench::play(argv[0], static_cast<key_t>(options.key));
  for (;;) pause();
}
