// Many copies on few processors.
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <random>
#include <thread>
#include <vector>

#include "at_rest.h"
#include "seed.h"

namespace share_data::test {
namespace {

class Crowd : public AtRestTest {};

TEST_F(Crowd, OfAThousandCopiesTheOnesThatSurviveShowTheTruthAfterHalfOfThemAreKilled) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  const auto count = std::min<std::size_t>(static_cast<std::size_t>(scaled(1000)), (files.rlim_cur - 100) / 2);
  Copies copies = start_many(static_cast<int>(count), {"--quiet"});
  ASSERT_TRUE(all_show(copies, static_cast<int>(count)));
  std::mt19937 random{seed()};
  std::ranges::shuffle(copies, random);
  const auto middle = copies.begin() + static_cast<std::ptrdiff_t>(count / 2);
  for (auto copy = copies.begin(); copy != middle; ++copy) copy->signal(SIGKILL);
  Copies killed{std::move_iterator{copies.begin()}, std::move_iterator{middle}};
  copies.erase(copies.begin(), middle);
  for (Copy& copy : killed) EXPECT_EQ(copy.exit_code(), -SIGKILL);
  expect_all_is_well(copies);
}

TEST_F(Crowd, CopiesThatHardlyGetAProcessorShowTheTruth) {
  std::vector<pid_t> busy;
  for (unsigned i = 0; i < std::thread::hardware_concurrency(); ++i) {
    busy.push_back(fork());
    if (busy.back() != 0) continue;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (std::atomic<unsigned> turns = 0;; ++turns) {}
  }
  Copies copies;
  for (int i = 0; i < 10; ++i) {
    copies.push_back(start(Launch{.before_exec = [] {
      const sched_param none{};
      sched_setscheduler(0, SCHED_IDLE, &none);
    }}));
  }
  EXPECT_TRUE(all_show(copies, 10));
  for (int i = 0; i < 3; ++i) take(copies, 2).destroy();
  EXPECT_EQ(take(copies, 0).stop(), 0);
  EXPECT_TRUE(all_show(copies, 6));
  for (const pid_t pid : busy) {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
  expect_all_is_well(copies);
}

}  // namespace
}  // namespace share_data::test
