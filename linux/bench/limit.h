// What the limit program and the harness share: the least that processes need to wake each other.
#pragma once

#include <fmt/format.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstdint>
#include <string>

namespace share_data::bench {

struct RawBoard {
  std::atomic<std::uint32_t> changes;  ///< futex; even: `live` are live, odd: one more
  std::uint32_t live;
  std::atomic<std::uint32_t> owner;  ///< robust futex: TID | FUTEX_WAITERS of the process whose death is watched
};

/// Sleeps while `word` is `seen`, or returns early.
inline void futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t seen) {
  syscall(SYS_futex, &word, FUTEX_WAIT, seen, nullptr, nullptr, 0);
}

/// The next change: wakes all waiters.
inline void wake_all(RawBoard& board) {
  ++board.changes;
  syscall(SYS_futex, &board.changes, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

/// A line of exactly the length that share_data writes for the same news.
inline std::string raw_line(int pid, std::uint32_t live, const char* event) {
  return fmt::format("12:34:56.789  {:<7} {:>4} live  {}\n", fmt::format("[{}]", pid), live, event);
}

/// What the limit program does, by the name it is called by: its command line is share_data's.
namespace role {
inline constexpr auto print = "print";              ///< print one line
inline constexpr auto wake = "wake";                ///< wake the waiters, then print one line
inline constexpr auto wait = "wait";                ///< print one line each time it is woken
inline constexpr auto own = "own";                  ///< have the kernel mark the owner word when it dies
inline constexpr auto watch_owner = "watch-owner";  ///< wake the waiters when the owner word is marked
inline constexpr auto watch_pidfd = "watch-pidfd";  ///< wake the waiters when the owner's pidfd is readable
}  // namespace role

}  // namespace share_data::bench
