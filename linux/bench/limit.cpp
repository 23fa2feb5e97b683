// The limit: the least that a program can do that reads share_data's options and then prints, wakes, waits or dies.
// It counts nothing and survives nothing; nothing that does more can be faster.
#include "limit.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/shm.h>

#include <array>
#include <cstdlib>
#include <string_view>
#include <variant>

#include "options.h"

namespace share_data::bench {
namespace {

constexpr auto newcomer = "+ 12345";

RawBoard& attach(key_t key) {
  void* const address = shmat(shmget(key, 0, 0), nullptr, 0);
  if (address == reinterpret_cast<void*>(-1)) std::_Exit(system_failure);
  return *static_cast<RawBoard*>(address);
}

void print(const std::string& line) {
  if (write(STDOUT_FILENO, line.data(), line.size()) < 0) std::_Exit(system_failure);
}

[[noreturn]] void wait_for_changes(const RawBoard& board) {
  // Made before, so that nothing but the wake and the write is in the measured time.
  const std::array lines{raw_line(getpid(), board.live, newcomer), raw_line(getpid(), board.live + 1, newcomer)};
  for (std::uint32_t seen = board.changes;; seen = board.changes) {
    print(lines[seen % 2]);
    while (board.changes == seen) futex_wait(board.changes, seen);
  }
}

/// A robust list with `owner` as its only entry: if the word holds this thread's TID when it dies, the kernel sets
/// FUTEX_OWNER_DIED and wakes one (set_robust_list(2)). Shared memory, as in share_data.
void register_owner(std::atomic<std::uint32_t>& owner) {
  struct RobustList {
    robust_list_head head;
    robust_list node;
  };
  void* const page = mmap(nullptr, sizeof(RobustList), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) std::_Exit(system_failure);
  auto& list = *static_cast<RobustList*>(page);
  list.node.next = &list.head.list;
  list.head.list.next = &list.node;
  list.head.futex_offset = reinterpret_cast<char*>(&owner) - reinterpret_cast<char*>(&list.node);
  if (syscall(SYS_set_robust_list, &list.head, sizeof list.head) != 0) std::_Exit(system_failure);
}

void wait_for_mark(const std::atomic<std::uint32_t>& owner) {
  for (std::uint32_t seen = owner; (seen & FUTEX_OWNER_DIED) == 0; seen = owner) futex_wait(owner, seen);
}

void wait_for_pidfd(std::uint32_t owner) {
  const auto fd = static_cast<int>(syscall(SYS_pidfd_open, owner & FUTEX_TID_MASK, 0U));
  if (fd < 0) std::_Exit(system_failure);
  pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
  poll(&entry, 1, -1);
}

void watch(RawBoard& board, bool by_pidfd) {
  print(raw_line(getpid(), board.live, "watching"));
  if (by_pidfd) {
    wait_for_pidfd(board.owner);
  } else {
    wait_for_mark(board.owner);
  }
  wake_all(board);
}

[[noreturn]] void rest() {
  for (;;) pause();
}

}  // namespace
}  // namespace share_data::bench

int main(int argc, char** argv) {
  using namespace share_data;
  using namespace share_data::bench;
  const auto parsed = parse_options(argc, argv);
  if (const auto* exit_code = std::get_if<ExitCode>(&parsed)) return *exit_code;
  const std::string_view name = argv[0];
  const key_t key = std::get<Options>(parsed).key;
  if (name == role::wait) wait_for_changes(attach(key));
  if (name == role::watch_owner || name == role::watch_pidfd) {
    watch(attach(key), name == role::watch_pidfd);
  } else {
    if (name == role::wake) wake_all(attach(key));
    if (name == role::own) register_owner(attach(key).owner);
    print(raw_line(getpid(), 1, "joined"));
  }
  rest();
}
