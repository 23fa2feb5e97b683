// Waiting for a condition. No test sleeps a fixed time to be right: it waits for what must come, as long as a
// busy machine could need for it.
#pragma once

#include <chrono>
#include <string_view>
#include <thread>

namespace share_data::test {

inline constexpr bool sanitized = !std::string_view{SHARE_DATA_SANITIZERS}.empty();

/// `number`, or a part of it where a sanitizer makes every process cost many times as much.
constexpr int scaled(int number) { return sanitized ? (number + 4) / 5 : number; }

/// How long something that must come may take before the test gives up on it.
inline constexpr std::chrono::seconds patience{sanitized ? 180 : 60};

/// Looks every millisecond or so whether the condition holds. False if it never did.
template <typename Condition>
bool eventually(Condition condition, std::chrono::milliseconds limit = patience) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return condition();
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  return true;
}

/// Lets a copy get as far as it can. If this is too short, a test does not see what it is after, but passes.
inline void let_it_try() { std::this_thread::sleep_for(std::chrono::milliseconds{200}); }

}  // namespace share_data::test
