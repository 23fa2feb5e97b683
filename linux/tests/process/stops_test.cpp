// Copies that do not run although they live, because they are stopped, frozen or traced, hide no death and hold up
// nobody; they show the truth as soon as they go on.
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "child.h"
#include "control_group.h"
#include "copies.h"

namespace share_data::test {
namespace {

using Stopped = CopiesTest;

TEST_F(Stopped, ChangesNothingForTheRest) {
  Copies copies = start_together(5);
  const std::size_t lines = copies[0].lines().size();
  suspend({&copies[3], &copies[4]});
  Copy newcomer = start();
  EXPECT_TRUE(all_show({&copies[0], &copies[1], &copies[2], &newcomer}, 6));
  EXPECT_EQ(newcomer.stop(), 0);
  EXPECT_TRUE(all_show({&copies[0], &copies[1], &copies[2]}, 5));
  EXPECT_EQ(copies[0].lines().size(), lines + 2) << "the newcomer came and went, and that was all";
  signal(copies, SIGCONT);
  EXPECT_TRUE(all_show(copies));
}

TEST_F(Stopped, ShowsTheTruthWhenItGoesOn) {
  Copies copies = start_together(5);
  suspend({&copies[0]});
  EXPECT_EQ(copies[1].stop(), 0);
  copies[2].destroy();
  Copies newcomers = start_many(3);
  ASSERT_TRUE(all_show(newcomers, 6));
  copies[0].signal(SIGCONT);
  EXPECT_TRUE(all_show({&copies[0], &copies[3], &copies[4]}, 6));
}

TEST_F(Stopped, TenOfTwelveDoNotHideADeathFromTheOtherTwo) {
  Copies copies = start_together(2);
  Copies stopped = start_many(10);
  ASSERT_TRUE(all_show(copies, 12));
  suspend(stopped);
  while (!stopped.empty()) {
    Copy victim = take(stopped, stopped.size() - 1);
    victim.destroy();
    EXPECT_TRUE(all_show(copies, static_cast<int>(2 + stopped.size())));
    EXPECT_TRUE(copies[0].prints(fmt::format("x {} was killed", victim.pid())));
  }
}

TEST_F(Stopped, CanBeTheLastOneOut) {
  Copies copies = start_together(3);
  copies[2].signal(SIGSTOP);
  EXPECT_EQ(copies[0].stop(), 0);
  EXPECT_EQ(copies[1].stop(), 0);
  EXPECT_TRUE(segment_of(key())) << "one is left, and it is stopped";
  copies[2].signal(SIGTERM);
  copies[2].signal(SIGCONT);
  EXPECT_EQ(copies[2].exit_code(), 0);
  EXPECT_TRUE(nothing_is_left());
}

class StoppedNeighbours : public CopiesTest, public testing::WithParamInterface<int> {};

TEST_P(StoppedNeighbours, HideADeathFromNobody) {
  const int stopped = scaled(GetParam());
  Copies copies = start_in_order(stopped + 2, {.options = {"--quiet"}});
  ASSERT_TRUE(all_show(copies));
  const Group all{copies};
  suspend({all.begin() + 1, all.end() - 1});
  take(copies, 0).destroy();
  EXPECT_TRUE(all_show({&copies.back()}, stopped + 1));
  signal(copies, SIGCONT);
  expect_all_is_well(copies);
}

INSTANTIATE_TEST_SUITE_P(Of, StoppedNeighbours, testing::Values(1, 2, 8, 30, 64, 120),
                         [](const auto& test) { return std::to_string(test.param); });

struct Freezer {
  const char* name;
  ControlGroup::Kind kind;
  const char* frozen;
  const char* thawed;
};

class Frozen : public CopiesTest, public testing::WithParamInterface<Freezer> {};

TEST_P(Frozen, HideNoDeath) {
  const ControlGroup group{{GetParam().kind}};
  if (!group.works()) GTEST_SKIP() << "needs a freezer of this version of control groups, which root may use";
  Copies copies = start_in_order(6);
  ASSERT_TRUE(all_show(copies));
  for (std::size_t i = 1; i < 4; ++i) ASSERT_TRUE(group.add(copies[i].pid()));
  ASSERT_TRUE(group.set(GetParam().frozen));
  take(copies, 0).destroy();
  copies.push_back(start());
  EXPECT_TRUE(all_show({&copies[3], &copies[4], &copies[5]}, 6));
  ASSERT_TRUE(group.set(GetParam().thawed));
  expect_all_is_well(copies);
}

INSTANTIATE_TEST_SUITE_P(
    By, Frozen,
    testing::Values(Freezer{"Version1", {"cgroup", ",freezer,", "freezer.state"}, "FROZEN", "THAWED"},
                    Freezer{"Version2", {"cgroup2", "", "cgroup.freeze"}, "1", "0"}),
    by_name);

/// A process that traces another one, as a debugger does, and that stops when it has begun.
struct Tracer : Child {
  Tracer(const Copy& copy, bool keeps_it_stopped)
      : Child([pid = copy.pid(), keeps_it_stopped] {
          const bool attached = ptrace(keeps_it_stopped ? PTRACE_ATTACH : PTRACE_SEIZE, pid, nullptr, nullptr) == 0;
          if (attached && keeps_it_stopped) waitpid(pid, nullptr, __WALL);
          raise(attached ? SIGSTOP : SIGKILL);
        }) {}

  /// Waits until it has begun. False if it may not trace.
  [[nodiscard]] bool works() const {
    int status = 0;
    return waitpid(pid(), &status, WUNTRACED) == pid() && WIFSTOPPED(status);
  }
};

using Traced = CopiesTest;

TEST_F(Traced, TheDeathOfACopyWhoseTracerIsStoppedIsSeen) {
  Copies copies = start_in_order(3);
  ASSERT_TRUE(all_show(copies));
  Copy victim = take(copies, 1);
  {
    const Tracer tracer{victim, false};
    if (!tracer.works()) GTEST_SKIP() << "needs ptrace";
    victim.signal(SIGKILL);
    EXPECT_TRUE(all_show(copies));
  }
  expect_all_is_well(copies);
}

TEST_F(Traced, ACopyThatItsTracerKeepsStoppedHidesNoDeathAndGoesOnWhenTheTracerIsKilled) {
  Copies copies = start_in_order(4);
  ASSERT_TRUE(all_show(copies));
  {
    const Tracer tracer{copies[2], true};
    if (!tracer.works()) GTEST_SKIP() << "needs ptrace";
    take(copies, 1).destroy();
    EXPECT_TRUE(all_show({&copies[0], &copies[2]}, 3));
  }
  expect_all_is_well(copies);
}

}  // namespace
}  // namespace share_data::test
