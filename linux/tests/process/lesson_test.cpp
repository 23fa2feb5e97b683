// The two small programs of linux/lesson: counter.cpp, which goes wrong with a kill, and exact.cpp, which does not.
#include <sched.h>
#include <sys/shm.h>

#include "copies.h"

namespace share_data::test {
namespace {

/// In an IPC namespace of its own, because their keys are always the same.
class Lesson : public testing::Test {
 protected:
  void SetUp() override {
    if (unshare(CLONE_NEWIPC) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWIPC) != 0) GTEST_SKIP() << "the system refuses";
    if (!has_futex_waitv()) GTEST_SKIP() << "needs Linux 5.16";
  }

  static Copy start(const std::string& program) { return Copy{0, {.program = LESSON_FOLDER "/" + program}}; }
};

TEST_F(Lesson, TheCounterIsRightAfterCtrlCAndWrongAfterAKill) {
  Copies copies;
  for (int i = 0; i < 3; ++i) copies.push_back(start("counter"));
  EXPECT_TRUE(each_shows(copies, 3));
  for (const int how : {SIGINT, SIGKILL}) {
    copies.front().signal(how);
    take(copies, 0).exit_code();
    EXPECT_TRUE(each_shows(copies, 2)) << "one runs after the kill";
  }
}

TEST_F(Lesson, ExactIsRightAfterAnyMixOfStartsAndEndsAndRefusesOneMoreThanThereAreSlots) {
  std::mt19937 random{seed()};
  Copies copies;
  for (int round = 0; round < scaled(100); ++round) {
    for (std::size_t steps = 1 + random() % 30; steps > 0; --steps) {
      if (copies.empty() || (copies.size() < 20 && random() % 100 < 55)) {
        copies.push_back(start("exact"));
      } else {
        Copy victim = take(copies, random() % copies.size());
        victim.signal(std::array{SIGKILL, SIGKILL, SIGKILL, SIGINT, SIGTERM, SIGABRT, SIGHUP}.at(random() % 7));
        victim.exit_code();
      }
      const std::chrono::microseconds pause{random() % 3 == 0 ? random() % 4000 : 0};  // ends come in a start, too
      std::this_thread::sleep_for(pause);
    }
    ASSERT_TRUE(each_shows(copies, static_cast<int>(copies.size()))) << "round " << round;
  }
  while (copies.size() < 100) copies.push_back(start("exact"));
  EXPECT_TRUE(each_shows(copies, 100));
  Copy one_more = start("exact");
  EXPECT_TRUE(fails(one_more, 1, "exact: the table is full: 100 copies are running\n"));
}

TEST_F(Lesson, ARefusedCallIsNamed) {
  for (const auto& [program, key] : {std::pair{"counter", 88}, {"exact", 89}}) {
    check(shmget(key, 1, IPC_CREAT | 0600), "shmget");  // too small
    Copy copy = start(program);
    EXPECT_TRUE(fails(copy, 1, std::string{program} + ": shmget: Invalid argument\n"));
  }
}

}  // namespace
}  // namespace share_data::test
