// The limit: the least that a program can do that reads share_data's options and then prints, wakes or waits.
// It counts nothing and survives nothing; nothing that does more can be faster.
#include <poll.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>

#include "futex.h"
#include "options.h"
#include "raw_board.h"

namespace share_data::bench {
namespace {

constexpr auto newcomer = "+ 12345";

RawBoard& attach(key_t key) {
  void* const address = shmat(shmget(key, 0, 0), nullptr, 0);
  // NOLINTNEXTLINE(performance-no-int-to-ptr): shmat(2) returns (void *) -1 on error
  if (address == reinterpret_cast<void*>(-1)) std::_Exit(system_failure);
  return *static_cast<RawBoard*>(address);
}

void print(const std::string& line) {
  if (write(STDOUT_FILENO, line.data(), line.size()) < 0) std::_Exit(system_failure);
}

void wake_all(RawBoard& board) {
  ++board.changes;
  futex_wake_all(board.changes, FutexScope::system);
}

[[noreturn]] void wait_for_changes(const RawBoard& board) {
  // Made before, so that nothing but the wake and the write is in the measured time.
  const std::array lines{raw_line(getpid(), board.live, newcomer), raw_line(getpid(), board.live + 1, newcomer)};
  for (std::uint32_t seen = board.changes;; seen = board.changes) {
    print(lines[seen % 2]);
    while (board.changes == seen) futex_wait(board.changes, seen, FutexScope::system);
  }
}

void watch(RawBoard& board) {
  pollfd entry{.fd = static_cast<int>(syscall(SYS_pidfd_open, board.victim, 0U)), .events = POLLIN, .revents = 0};
  print(raw_line(getpid(), board.live, "watching"));
  poll(&entry, 1, -1);
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
  if (name == role::watch) watch(attach(key));
  if (name == role::wake) wake_all(attach(key));
  if (name != role::watch) print(raw_line(getpid(), 1, "joined"));
  rest();
}
