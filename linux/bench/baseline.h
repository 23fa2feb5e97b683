// What the programs share that share_data is compared with, and the harness.
#pragma once

#include <linux/futex.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <climits>
#include <cstdint>
#include <cstdlib>

namespace share_data::bench {

struct Board {
  std::atomic<std::uint32_t> changes;  ///< futex, for those who wait
  std::atomic<std::uint32_t> owner;    ///< robust futex: TID|WAITERS of the process that will be killed
  std::array<char, 5> article;         ///< the count, as a text
};

/// The segment, which the first one makes.
inline Board& attach(key_t key) {
  void* const address = shmat(shmget(key, sizeof(Board), IPC_CREAT | 0600), nullptr, 0);
  if (address == reinterpret_cast<void*>(-1)) std::_Exit(1);
  return *static_cast<Board*>(address);
}

/// `changes` + 1, and wakes everybody who waits for it.
inline void notify(Board& board) {
  ++board.changes;
  syscall(SYS_futex, &board.changes, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace share_data::bench
