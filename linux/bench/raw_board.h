// What the raw limits share: the least that two processes need to wake each other.
#pragma once

#include <fmt/format.h>

#include <atomic>
#include <cstdint>
#include <string>

namespace share_data::bench {

struct RawBoard {
  std::atomic<std::uint32_t> changes;  ///< futex; even: `live` are live, odd: one more
  std::uint32_t live;
  std::int32_t victim;  ///< whose death the watcher tells of
};

/// A line of exactly the length that share_data writes for the same news.
inline std::string raw_line(int pid, std::uint32_t live, const char* event) {
  return fmt::format("12:34:56.789  {:<7} {:>4} live  {}\n", fmt::format("[{}]", pid), live, event);
}

/// What the limit program does, by the name it is called by: its command line is share_data's.
namespace role {
inline constexpr auto print = "print";  ///< print one line
inline constexpr auto wake = "wake";    ///< wake the waiters, then print one line
inline constexpr auto wait = "wait";    ///< print one line each time it is woken
inline constexpr auto watch = "watch";  ///< wake the waiters when the victim is dead
}  // namespace role

}  // namespace share_data::bench
