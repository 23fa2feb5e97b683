// Copies that have nothing to do do nothing.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "copies_test.h"

namespace share_data::test {
namespace {

/// How often the threads of the process have gone to sleep: each wake-up ends in one more.
long sleeps_of(pid_t pid) {
  long sleeps = 0;
  for (const auto& task : std::filesystem::directory_iterator{"/proc/" + std::to_string(pid) + "/task"}) {
    std::ifstream status{task.path() / "status"};
    const std::string name = "voluntary_ctxt_switches:";
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with(name)) sleeps += std::stol(line.substr(name.size()));
    }
  }
  return sleeps;
}

class Idle : public CopiesTest {
 protected:
  static long sleeps_of_all(const Copies& copies) {
    long sleeps = 0;
    for (const Copy& copy : copies) sleeps += sleeps_of(copy.pid());
    return sleeps;
  }

  /// Waits until nobody has moved for a while.
  static bool settled(const Copies& copies) {
    return eventually([&] {
      const long before = sleeps_of_all(copies);
      std::this_thread::sleep_for(std::chrono::milliseconds{500});
      return sleeps_of_all(copies) == before;
    });
  }
};

TEST_F(Idle, FiveCopiesDoNotWakeUpOnceInFiveSeconds) {
  if (thread_sanitized) GTEST_SKIP() << "ThreadSanitizer has a thread of its own that wakes up";
  Copies copies = start_many(5);
  ASSERT_TRUE(all_show(copies, 5));
  ASSERT_TRUE(settled(copies));
  const long before = sleeps_of_all(copies);
  std::this_thread::sleep_for(std::chrono::seconds{5});
  EXPECT_EQ(sleeps_of_all(copies) - before, 0);
}

}  // namespace
}  // namespace share_data::test
