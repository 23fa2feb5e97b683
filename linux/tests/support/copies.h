// What all tests with real processes have in common.
#pragma once

#include <gtest/gtest.h>

#include <random>

#include <fmt/format.h>

#include "copy.h"
#include "kernel_view.h"
#include "waiting.h"

namespace share_data::test {

using Copies = std::vector<Copy>;

/// Some copies: all of a test, or those that are listed.
struct Group : std::vector<Copy*> {
  using std::vector<Copy*>::vector;
  Group(Copies& copies) {
    for (Copy& copy : copies) push_back(&copy);
  }
};

/// Gives each test process a key of its own, so that many can run at once, and leaves nothing behind.
class CopiesTest : public testing::Test {
 protected:
  void SetUp() override { key_ = own_key(); }
  void TearDown() override;

  [[nodiscard]] key_t key() const { return key_; }
  [[nodiscard]] std::string key_text() const { return fmt::format("{:#x}", static_cast<std::uint32_t>(key_)); }

  /// For a file or a folder of the test, which is removed at its end.
  [[nodiscard]] std::string path() const { return testing::TempDir() + key_text(); }

  [[nodiscard]] Copy start(const Launch& launch = {}) const { return Copy{key_, launch}; }

  /// At once.
  [[nodiscard]] Copies start_many(int count, const Launch& launch = {}) const;

  /// One after the other: the first one has slot 0, and so on.
  [[nodiscard]] Copies start_in_order(int count, const Launch& launch = {}) const;

  /// At once, and waits until they show each other: so many, or the only one.
  [[nodiscard]] Copies start_together(int count, const Launch& launch = {}) const;
  [[nodiscard]] Copy start_alone() const { return std::move(start_together(1).front()); }

  /// The program's answer to these options and our `--key`.
  [[nodiscard]] Answer ask_here(std::vector<std::string> options) const;

  /// Waits until the last line of each copy shows `count`, and as many processes are attached to the segment.
  [[nodiscard]] testing::AssertionResult all_show(Group copies, int count) const;

  /// The same with how many they are.
  [[nodiscard]] testing::AssertionResult all_show(Copies& copies) const {
    return all_show(copies, static_cast<int>(copies.size()));
  }

  /// Waits until the kernel has no segment under our key, and no removed one that somebody still uses.
  [[nodiscard]] testing::AssertionResult nothing_is_left() const;

  /// The copies, which are all there are, leave when they are asked to, and leave nothing behind.
  void expect_clean_end(const Group& copies) const;

  /// And before, they show how many they are and sleep without a wake-up.
  void expect_all_is_well(Copies& copies) const;

 private:
  key_t key_ = 0;
};

/// Takes it out of the list, without waiting for its end.
[[nodiscard]] Copy take(Copies& copies, std::size_t index);

/// The same with the last ones.
[[nodiscard]] Copies take_last(Copies& copies, int count);

/// What the copy calls itself on its first line: its PID in its own PID namespace.
[[nodiscard]] pid_t own_pid(Copy& copy);

void signal(const Group& copies, int number);

/// Stops them as Ctrl+Z does, and waits until they are stopped: the signal takes its time.
void suspend(const Group& copies);

/// Kills them and waits until they are no more.
void destroy(const Group& copies);

/// The system call that the process sleeps in (proc(5), /proc/PID/syscall), else -1. One that has been woken, but
/// has not run yet, does not sleep.
[[nodiscard]] long call_of(pid_t pid);

/// Waits until all sleep in the call in which a copy waits for everything that may come.
[[nodiscard]] bool all_wait_for_change(const Group& copies);

/// The CPU time that the copies have used together. A copy that does not wake up uses none at all.
[[nodiscard]] std::chrono::nanoseconds cpu_time_of(const Group& copies);

/// Waits until all sleep, and nothing wakes them.
[[nodiscard]] bool all_sleep(const Group& copies);

/// Lets a copy get as far as it can. If this is too short, a test does not see what it is after, but passes.
inline void let_it_try() { std::this_thread::sleep_for(std::chrono::milliseconds{200}); }

/// Asks all to leave and checks that each does, with exit code 0.
[[nodiscard]] testing::AssertionResult all_leave(const Group& copies);

/// A new seed for each run, which is printed; or the one in SHARE_DATA_TEST_SEED, to repeat a run.
[[nodiscard]] unsigned seed();

/// Whether a text has this part.
[[nodiscard]] testing::AssertionResult contains(const std::string& text, const std::string& part);

/// Whether the program has ended with this exit code and these words on standard error.
[[nodiscard]] testing::AssertionResult failed(const Answer& answer, int exit_code, const std::string& words);

/// For INSTANTIATE_TEST_SUITE_P: calls a test as its parameter.
inline constexpr auto by_name = [](const auto& test) { return std::string{test.param.name}; };

}  // namespace share_data::test
