// What all tests with real processes have in common.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "copy.h"
#include "kernel_view.h"
#include "waiting.h"

namespace share_data::test {

using Copies = std::vector<Copy>;

/// Gives each test process a key of its own, so that many can run at once, and leaves nothing behind.
class CopiesTest : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  [[nodiscard]] key_t key() const { return key_; }
  [[nodiscard]] std::string key_text() const;

  [[nodiscard]] Copy start(const std::vector<std::string>& options = {}) const;
  [[nodiscard]] Copy start(const Launch& launch) const { return Copy{key_, launch}; }
  [[nodiscard]] Copies start_many(int count, const std::vector<std::string>& options = {}) const;

  /// The same, once they show each other: so many, or the only one.
  [[nodiscard]] Copies start_together(int count) const;
  [[nodiscard]] Copy start_alone() const;

  /// The program's answer to these options and our `--key`.
  [[nodiscard]] Answer ask_here(std::vector<std::string> options) const;

  /// Waits until the last line of each copy shows `count`, and as many processes are attached to the segment.
  [[nodiscard]] testing::AssertionResult all_show(Copies& copies, int count) const;
  [[nodiscard]] testing::AssertionResult all_show(std::vector<Copy*> copies, int count) const;

  /// Waits until the kernel has no segment under our key, and no removed one that somebody still uses.
  [[nodiscard]] testing::AssertionResult nothing_is_left() const;

 private:
  key_t key_ = 0;
};

[[nodiscard]] std::vector<Copy*> pointers_to(Copies& copies);

/// What the copy calls itself on its first line: its PID in its own PID namespace.
[[nodiscard]] pid_t own_pid(Copy& copy);

/// Waits until a copy that got SIGSTOP is stopped: the signal takes its time.
[[nodiscard]] bool is_stopped(const Copy& copy);

/// The CPU time that the copies have used together. A copy that does not wake up uses none at all.
[[nodiscard]] std::chrono::nanoseconds cpu_time_of(const Copies& copies);

/// Waits until all sleep, and nothing wakes them.
[[nodiscard]] bool all_sleep(const Copies& copies);

/// Lets a copy get as far as it can. If this is too short, a test does not see what it is after, but passes.
inline void let_it_try() { std::this_thread::sleep_for(std::chrono::milliseconds{200}); }

/// Asks all to leave and checks that each does, with exit code 0.
[[nodiscard]] testing::AssertionResult all_leave(Copies& copies);

}  // namespace share_data::test
