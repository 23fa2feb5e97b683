// The race that a bare attach count or a lock loses: the last copy removes the segment while the next one joins.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <new>
#include <random>
#include <thread>

#include "kernel_view.h"
#include "membership.h"
#include "seed.h"
#include "waiting.h"

namespace share_data::test {
namespace {

constexpr std::size_t workers = 4;

/// What the workers tell each other, in memory that has nothing to do with System V.
struct Notes {
  std::atomic<int> lives;
  std::atomic<int> splits;
};

class LastOneOut : public testing::Test {
 protected:
  void SetUp() override {
    remove_segment(key);
    void* const memory = mmap(nullptr, sizeof(Notes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    notes = new (memory) Notes{};
  }

  void TearDown() override {
    for (std::size_t i = 0; i < workers; ++i) destroy(i);
    munmap(notes, sizeof(Notes));
    remove_segment(key);
  }

  /// A child that joins and leaves until it is killed, or for so long, but once at least.
  void spawn(std::size_t index, std::chrono::milliseconds duration) {
    pids[index] = fork();
    ASSERT_GE(pids[index], 0);
    if (pids[index] != 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    try {
      const StopSignals stop;
      const Applicant applicant{.identity = own_identity(), .key = key, .max = std::nullopt};
      const auto end = std::chrono::steady_clock::now() + duration;
      do live_once(applicant, stop);
      while (std::chrono::steady_clock::now() < end);
    } catch (const std::exception& error) {
      std::cerr << error.what() << std::endl;
      _exit(1);
    }
    _exit(0);
  }

  /// Nobody removes a segment while somebody is a member in it. As a key has one segment at a time, all who are
  /// members at the same time are then in the same one.
  void live_once(const Applicant& applicant, const StopSignals& stop) const {
    Membership member{applicant, stop};
    for (int look = 0; look < 20; ++look) {  // whoever is about to remove it gets the time to
      if (member.segment().state().removed) ++notes->splits;
    }
    ++notes->lives;
    (void)member.leave();
  }

  void destroy(std::size_t index) {
    if (pids[index] <= 0) return;
    kill(pids[index], SIGKILL);
    waitpid(pids[index], nullptr, 0);
    pids[index] = 0;
  }

  const key_t key = static_cast<key_t>(0x5b00'0000U | static_cast<std::uint32_t>(getpid()));
  std::array<pid_t, workers> pids{};
  Notes* notes = nullptr;
};

TEST_F(LastOneOut, ThousandsOfRacesNeverMakeTwoSegments) {
  for (std::size_t i = 0; i < workers; ++i) spawn(i, std::chrono::seconds{5});
  for (pid_t& pid : pids) {
    int status = -1;
    ASSERT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
    pid = 0;
  }
  std::cout << notes->lives << " lives" << std::endl;
  EXPECT_EQ(notes->splits, 0);
  EXPECT_FALSE(segment_of(key)) << "the last one out removes the segment";
}

TEST_F(LastOneOut, KillsInTheMiddleOfTheRaceDoNotMakeTwoSegmentsEither) {
  std::mt19937 random{seed()};
  constexpr std::chrono::hours for_ever{24};
  for (std::size_t i = 0; i < workers; ++i) spawn(i, for_ever);
  const int kills = scaled(250);
  for (int i = 0; i < kills; ++i) {
    const int before = notes->lives;
    const std::size_t victim = random() % workers;
    std::this_thread::sleep_for(std::chrono::microseconds{random() % 3000});
    destroy(victim);
    spawn(victim, for_ever);
    ASSERT_TRUE(eventually([&] { return notes->lives > before; })) << "after " << i << " kills nobody gets on";
  }
  EXPECT_EQ(notes->splits, 0);
  for (std::size_t i = 0; i < workers; ++i) destroy(i);
  spawn(0, std::chrono::seconds{0});
  int status = -1;
  ASSERT_EQ(waitpid(pids[0], &status, 0), pids[0]);
  pids[0] = 0;
  EXPECT_EQ(status, 0);
  EXPECT_FALSE(segment_of(key)) << "what the killed ones left is removed by the next one";
}

}  // namespace
}  // namespace share_data::test
