// futex(2), which the C library does not wrap: sleep until a 32-bit word changes, wake those who sleep.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <climits>
#include <cstdint>
#include <ctime>

namespace share_data {

/// Whether only threads of this process use the word, or other processes too.
enum class FutexScope : int { process = FUTEX_PRIVATE_FLAG, system = 0 };

/// Sleeps while `word` is `seen`, at most `patience` where that is given. The kernel compares and goes to
/// sleep in one step, so a change that comes in between is not missed. It may return early; the caller looks
/// at the word again.
inline void futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t seen, FutexScope scope,
                       std::chrono::nanoseconds patience = std::chrono::nanoseconds::max()) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(patience);
  const timespec limit{.tv_sec = seconds.count(), .tv_nsec = (patience - seconds).count()};
  syscall(SYS_futex, &word, FUTEX_WAIT | static_cast<int>(scope), seen,
          patience == std::chrono::nanoseconds::max() ? nullptr : &limit, nullptr, 0);
}

/// Wakes everybody who sleeps on `word`.
inline void futex_wake_all(const std::atomic<std::uint32_t>& word, FutexScope scope) {
  syscall(SYS_futex, &word, FUTEX_WAKE | static_cast<int>(scope), INT_MAX, nullptr, nullptr, 0);
}

}  // namespace share_data
