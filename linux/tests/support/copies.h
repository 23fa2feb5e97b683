// What all tests with real processes have in common.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>

#include "copy.h"
#include "kernel_view.h"

namespace share_data::test {

using Copies = std::vector<Copy>;

/// Some copies: all of a test, or those that are listed.
struct Group : std::vector<Copy*> {
  using std::vector<Copy*>::vector;
  Group(Copies& copies) {
    for (Copy& copy : copies) push_back(&copy);
  }
};

/// Takes it out of the list, without waiting for its end.
[[nodiscard]] inline Copy take(Copies& copies, std::size_t index) {
  const auto place = copies.begin() + static_cast<std::ptrdiff_t>(index);
  Copy copy = std::move(*place);
  copies.erase(place);
  return copy;
}

inline void add(Copies& copies, Copies more) { std::ranges::move(more, std::back_inserter(copies)); }

inline void signal(const Group& copies, int number) {
  for (const Copy* const copy : copies) copy->signal(number);
}

/// Stops them as Ctrl+Z does, and waits until they are stopped: the signal takes its time.
inline void suspend(const Group& copies) {
  signal(copies, SIGSTOP);
  for (const Copy* const copy : copies) {
    EXPECT_TRUE(eventually([&] {
      siginfo_t info{};
      const auto id = static_cast<id_t>(copy->pid());
      return waitid(P_PID, id, &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 && info.si_pid == copy->pid();
    }));
  }
}

/// Kills them and waits until they are no more.
inline void destroy(const Group& copies) {
  signal(copies, SIGKILL);
  for (Copy* const copy : copies) EXPECT_EQ(copy->exit_code(), -SIGKILL);
}

/// Asks all to leave and checks that each does, with exit code 0.
inline void expect_all_leave(const Group& copies) {
  signal(copies, SIGTERM);
  for (Copy* const copy : copies) EXPECT_EQ(copy->exit_code(), 0) << copy->pid() << copy->output() << copy->notes();
}

/// The system call that the process sleeps in (proc(5), /proc/PID/syscall), else -1. One that has been woken, but
/// has not run yet, does not sleep.
[[nodiscard]] inline long call_of(pid_t pid) {
  std::ifstream file{fmt::format("/proc/{}/syscall", pid)};
  long call = -1;
  return file >> call ? call : -1;
}

/// Waits until all sleep in the call in which a copy waits for everything that may come.
[[nodiscard]] inline bool all_wait_for_change(const Group& copies) {
  const auto waits = [](const Copy* copy) { return call_of(copy->pid()) == SYS_futex_waitv; };
  return eventually([&] { return std::ranges::all_of(copies, waits); });
}

/// Waits until all sleep, and nothing wakes them for so long. Without futex_waitv(2), they do wake up.
[[nodiscard]] inline bool all_sleep(const Group& copies,
                                    std::chrono::milliseconds time = std::chrono::milliseconds{500}) {
  const auto switches = [&] {
    std::string all;
    for (const Copy* const copy : copies) {
      std::ifstream file{fmt::format("/proc/{}/status", copy->pid())};
      const std::string text{std::istreambuf_iterator<char>{file}, {}};
      all += text.substr(text.find("voluntary_ctxt_switches"));
    }
    return all;
  };
  return !has_futex_waitv() || eventually([&] {
    const std::string before = switches();
    std::this_thread::sleep_for(time);
    return switches() == before;
  });
}

/// Waits until the last line of each shows `count`.
[[nodiscard]] inline bool each_shows(const Group& copies, int count) {
  return eventually([&] { return std::ranges::all_of(copies, [=](Copy* copy) { return copy->shown() == count; }); });
}

/// A new seed for each run, which is printed; or the one in SHARE_DATA_TEST_SEED, to repeat a run.
inline unsigned seed() {
  const char* const wanted = std::getenv("SHARE_DATA_TEST_SEED");
  const unsigned value = wanted != nullptr ? static_cast<unsigned>(std::stoul(wanted)) : std::random_device{}();
  std::cout << "SHARE_DATA_TEST_SEED=" << value << std::endl;  // at once: the test may not live to its end
  return value;
}

/// Whether a text has this part.
[[nodiscard]] inline testing::AssertionResult contains(const std::string& text, const std::string& part) {
  const bool has_it = text.find(part) != std::string::npos;
  return testing::AssertionResult{has_it} << (has_it ? "" : "no ") << '"' << part << "\" in:\n" << text;
}

/// Whether the copy ends with this exit code and these words on standard error.
[[nodiscard]] inline testing::AssertionResult fails(Copy& copy, int exit_code, const std::string& words) {
  if (copy.exit_code() == exit_code) return contains(copy.notes(), words);
  return testing::AssertionFailure() << "ended with " << copy.exit_code() << "\n" << copy.output() << copy.notes();
}

/// For INSTANTIATE_TEST_SUITE_P: calls a test as its parameter.
inline constexpr auto by_name = [](const auto& test) { return std::string{test.param.name}; };

/// Gives each test process a key of its own, so that many can run at once, and leaves nothing behind.
class CopiesTest : public testing::Test {
 protected:
  void SetUp() override { key_ = own_key(); }
  void TearDown() override {
    remove_segment(key_);
    std::filesystem::remove_all(path());
  }

  [[nodiscard]] key_t key() const { return key_; }
  [[nodiscard]] std::string key_text() const { return fmt::format("{:#x}", static_cast<std::uint32_t>(key_)); }

  /// For a file or a folder of the test, which is removed at its end.
  [[nodiscard]] std::string path() const { return testing::TempDir() + key_text(); }

  [[nodiscard]] Copy start(const Launch& launch = {}) const { return Copy{key_, launch}; }

  /// At once.
  [[nodiscard]] Copies start_many(int count, const Launch& launch = {}) const {
    Copies copies;
    for (int i = 0; i < count; ++i) copies.push_back(start(launch));
    return copies;
  }

  /// One after the other: the first one has slot 0, and so on.
  [[nodiscard]] Copies start_in_order(int count, const Launch& launch = {}) const {
    Copies copies;
    for (int i = 0; i < count; ++i) {
      copies.push_back(start(launch));
      EXPECT_TRUE(copies.back().prints("joined"));
    }
    return copies;
  }

  /// At once, and waits until they show each other: so many, or the only one.
  [[nodiscard]] Copies start_together(int count, const Launch& launch = {}) const {
    Copies copies = start_many(count, launch);
    EXPECT_TRUE(all_show(copies));
    return copies;
  }
  [[nodiscard]] Copy start_alone() const { return std::move(start_together(1).front()); }

  /// One that has ended: its lines and notes are the program's answer to these options.
  [[nodiscard]] Copy ask_here(const std::vector<std::string>& options) const {
    Copy copy = start({.options = options});
    copy.exit_code();
    return copy;
  }

  /// Waits until the last line of each copy shows `count`, and as many processes are attached to the segment.
  [[nodiscard]] testing::AssertionResult all_show(const Group& copies, int count) const {
    const auto shows_it = [&](Copy* copy) { return copy->shown() == count; };
    const bool agreed = eventually(
        [&] { return std::ranges::all_of(copies, shows_it) && attached_to(key_) == static_cast<std::size_t>(count); });
    if (agreed) return testing::AssertionSuccess();
    std::string who = fmt::format("Not all show {}, and {} processes are attached:\n", count, attached_to(key_));
    for (Copy* const copy : copies) {
      if (!shows_it(copy)) who += fmt::format("[{}] {}{}\n", copy->pid(), copy->output(), copy->notes());
    }
    return testing::AssertionFailure() << who;
  }

  /// The same with how many they are.
  [[nodiscard]] testing::AssertionResult all_show(Copies& copies) const {
    return all_show(copies, static_cast<int>(copies.size()));
  }

  /// Waits until the kernel has no segment under our key, and no removed one that somebody still uses: a copy that has
  /// left may still be on its way out.
  [[nodiscard]] testing::AssertionResult nothing_is_left() const {
    const bool nothing = eventually([&] { return !segment_of(key_) && removed_segments(key_) == 0; });
    return testing::AssertionResult{nothing} << removed_segments(key_) << " removed segments are left, or one is not";
  }

  /// The copies, which are all there are, leave when they are asked to, and leave nothing behind.
  void expect_clean_end(const Group& copies) const {
    expect_all_leave(copies);
    EXPECT_TRUE(nothing_is_left());
  }

  /// And before, they show how many they are and sleep without a wake-up.
  void expect_all_is_well(Copies& copies) const {
    EXPECT_TRUE(all_show(copies));
    EXPECT_TRUE(all_sleep(copies));
    expect_clean_end(copies);
  }

 private:
  key_t key_ = 0;
};

}  // namespace share_data::test
