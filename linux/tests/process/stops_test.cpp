// Copies that do not run although they live, because they are stopped, frozen or traced, hide no death and hold up
// nobody; they show the truth as soon as they go on.
#include <sys/ptrace.h>

#include <climits>

#include "copies.h"

namespace share_data::test {
namespace {

using Stopped = CopiesTest;

TEST_F(Stopped, ChangesNothingForTheRestAndShowsTheTruthWhenItGoesOn) {
  Copies copies = start_together(5);
  const std::size_t lines = copies[0].lines().size();
  suspend({&copies[3], &copies[4]});
  Copy newcomer = start();
  EXPECT_TRUE(all_show({&copies[0], &copies[1], &copies[2], &newcomer}, 6));
  EXPECT_EQ(newcomer.stop(), 0);
  EXPECT_TRUE(all_show({&copies[0], &copies[1], &copies[2]}, 5));
  EXPECT_EQ(copies[0].lines().size(), lines + 2) << "the newcomer came and went, and that was all";
  take(copies, 2).destroy();
  add(copies, start_many(3));
  EXPECT_TRUE(all_show({&copies[0], &copies[1], &copies[4]}, 7));
  signal(copies, SIGCONT);
  EXPECT_TRUE(all_show(copies));
}

TEST_F(Stopped, HidesNoDeathAsFourCopiesWaitForOneWordEach) {
  if (!has_futex_waitv()) GTEST_SKIP() << "needs futex_waitv";
  Copies copies = start_in_order(5);
  ASSERT_TRUE(all_show(copies));
  ASSERT_TRUE(all_sleep(copies));
  const RawSegment segment{key()};
  Slot& slot = segment.table().slots[0];
  for (const std::atomic<Word>* const word :
       {&slot.owner, &slot.alarms[0].word, &slot.alarms[1].word, &slot.alarms[2].word}) {
    EXPECT_EQ(syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0), 1) << "who waits for it";
  }
}

TEST_F(Stopped, KeepsNobodyAwakeIfAnAlarmWordOfItsSlotWasOverwritten) {
  Copies copies = start_together(3);
  suspend({&copies[0]});
  {
    const RawSegment segment{key()};
    for (Slot& slot : segment.table().slots) {
      slot.alarms[0].word = slot.owner == running_word(copies[0].tid()) ? 42 : 0;
    }
    segment.table().notify(Log{{}, 0});
  }
  EXPECT_TRUE(all_sleep({&copies[1], &copies[2]}));
}

class StoppedNeighbours : public CopiesTest, public testing::WithParamInterface<int> {};

TEST_P(StoppedNeighbours, HideADeathFromNobody) {
  const int stopped = scaled(GetParam());
  Copies copies = start_in_order(stopped + 2, {.options = {"--quiet"}});
  ASSERT_TRUE(all_show(copies));
  const Group all{copies};
  suspend({all.begin() + 1, all.end() - 1});
  for (const std::size_t victim : {0U, 0U}) {  // a copy that runs, and then one that is stopped
    take(copies, victim).destroy();
    EXPECT_TRUE(all_show({&copies.back()}, static_cast<int>(copies.size())));
  }
  signal(copies, SIGCONT);
  expect_all_is_well(copies);
}

INSTANTIATE_TEST_SUITE_P(Of, StoppedNeighbours, testing::Values(1, 2, 8, 30, 64, 120),
                         [](const auto& test) { return std::to_string(test.param); });

using Frozen = CopiesTest;

TEST_F(Frozen, HideNoDeath) {
  struct Freezer {
    const char *groups, *file, *frozen, *thawed;
  };
  bool has_group = false;
  for (const auto& [groups, file, frozen, thawed] :  // cgroups(7), of both versions
       {Freezer{"/sys/fs/cgroup/freezer", "freezer.state", "FROZEN", "THAWED"},
        Freezer{"/sys/fs/cgroup", "cgroup.freeze", "1", "0"},
        Freezer{"/sys/fs/cgroup/unified", "cgroup.freeze", "1", "0"}}) {
    const std::filesystem::path group = std::filesystem::path{groups} / key_text();
    const auto write = [&](const char* name, const auto& text) { std::ofstream{group / name} << text; };
    std::error_code refused;
    std::filesystem::create_directory(group, refused);
    if (std::filesystem::exists(group / file)) {
      has_group = true;
      Copies copies = start_in_order(6);
      ASSERT_TRUE(all_show(copies));
      for (std::size_t i = 1; i < 4; ++i) write("cgroup.procs", copies[i].pid());
      write(file, frozen);
      take(copies, 0).destroy();
      copies.push_back(start());
      EXPECT_TRUE(all_show({&copies[3], &copies[4], &copies[5]}, 6));
      write(file, thawed);
      expect_all_is_well(copies);
    }
    rmdir(group.c_str());
  }
  if (!has_group) GTEST_SKIP() << "needs control groups, which root may make";
}

using Traced = CopiesTest;

// As a debugger does: the tracer stops when it has begun. It traces the copy that is killed, or it keeps another one
// stopped.
TEST_F(Traced, HidesNoDeathAndGoesOnWhenItsTracerIsKilled) {
  for (const bool stops_it : {false, true}) {
    Copies copies = start_in_order(4);
    ASSERT_TRUE(all_show(copies));
    Copy victim = take(copies, 1);
    const pid_t traced = stops_it ? copies[1].pid() : victim.pid();
    Child tracer{[=] {
      const bool attached = ptrace(stops_it ? PTRACE_ATTACH : PTRACE_SEIZE, traced, nullptr, nullptr) == 0;
      if (attached && stops_it) waitpid(traced, nullptr, __WALL);
      raise(attached ? SIGSTOP : SIGKILL);
    }};
    int status = 0;
    if (waitpid(tracer.pid(), &status, WUNTRACED) != tracer.pid() || !WIFSTOPPED(status)) {
      GTEST_SKIP() << "needs ptrace";
    }
    victim.signal(SIGKILL);
    EXPECT_TRUE(all_show({&copies[0], &copies[2]}, 3));
    tracer.end();
    expect_all_is_well(copies);
  }
}

}  // namespace
}  // namespace share_data::test
