// Copies that do not run although they live, because they are stopped, stuck, frozen or traced, hide no death and
// hold up nobody; they show the truth as soon as they go on.
#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <random>
#include <string>

#include "at_rest.h"
#include "control_group.h"
#include "seed.h"

namespace share_data::test {
namespace {

class Stops : public AtRestTest {
 protected:
  static void stop(const Copy& copy) {
    copy.signal(SIGSTOP);
    ASSERT_TRUE(is_stopped(copy));
  }
};

class StoppedNeighbours : public Stops, public testing::WithParamInterface<int> {};

TEST_P(StoppedNeighbours, HideADeathFromNobody) {
  const int stopped = scaled(GetParam());
  Copies copies = start_in_order(stopped + 2, {.options = {"--quiet"}});
  ASSERT_TRUE(all_show(copies, stopped + 2));
  for (int i = 1; i <= stopped; ++i) stop(copies[static_cast<std::size_t>(i)]);
  copies.front().destroy();
  EXPECT_TRUE(all_show({&copies.back()}, stopped + 1));
  for (const Copy& copy : copies) copy.signal(SIGCONT);
  copies.erase(copies.begin());
  expect_all_is_well(copies);
}

INSTANTIATE_TEST_SUITE_P(Of, StoppedNeighbours, testing::Values(1, 2, 8, 30, 64, 120),
                         [](const auto& test) { return std::to_string(test.param); });

TEST_F(Stops, ThreeCopiesFarApartOfWhichTwoAreStoppedAndOneIsKilled) {
  Copies copies = start_in_order(10);
  for (const std::size_t slot : {8U, 7U, 6U, 5U, 4U, 3U, 0U}) EXPECT_EQ(take(copies, slot).stop(), 0);
  ASSERT_TRUE(all_show(copies, 3));
  for (std::size_t victim = 0; victim < 3; ++victim) {
    for (std::size_t i = 0; i < 3; ++i) {
      if (i != victim) stop(copies[i]);
    }
    copies[victim].destroy();
    Copy newcomer = start();
    EXPECT_TRUE(newcomer.prints("3 live  joined"));
    for (const Copy& copy : copies) copy.signal(SIGCONT);
    copies[victim] = std::move(newcomer);
    ASSERT_TRUE(all_show(copies, 3));
  }
  expect_all_is_well(copies);
}

TEST_F(Stops, NeighboursThatAreStuckInAFullPipeHideNoDeath) {
  Copies copies = start_in_order(1);
  Copies stuck;
  for (int i = 0; i < scaled(20); ++i) {
    stuck.push_back(start(Launch{.before_exec = [] {
      fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK);
      while (write(STDOUT_FILENO, "\n", 1) == 1) {}
      fcntl(STDOUT_FILENO, F_SETFL, 0);
    }}));
    ASSERT_TRUE(all_show(copies, i + 2));
  }
  Copy victim = start();
  ASSERT_TRUE(all_show({&copies[0], &victim}, scaled(20) + 2));
  victim.destroy();
  EXPECT_TRUE(all_show({&copies[0]}, scaled(20) + 1));
  std::ranges::move(stuck, std::back_inserter(copies));  // and from now on, somebody reads
  expect_all_is_well(copies);
}

TEST_F(Stops, StopsAndKillsInAStormOfStartsEndInTheTruth) {
  std::mt19937 random{seed()};
  Copies copies;
  Copies killed;
  for (int i = 0; i < scaled(150); ++i) {
    copies.push_back(start({"--quiet"}));
    const std::size_t any = random() % copies.size();
    if (random() % 3 == 0) copies[any].signal(SIGSTOP);
    if (random() % 3 == 0) {
      copies[any].signal(SIGKILL);
      killed.push_back(take(copies, any));
    }
  }
  std::vector<Copy*> running;
  for (Copy& copy : killed) EXPECT_EQ(copy.exit_code(), -SIGKILL);
  for (const Copy& copy : copies) copy.signal(SIGCONT);
  expect_all_is_well(copies);
}

class Frozen : public Stops {
 protected:
  void expect_truth_around_frozen_copies(const ControlGroup& group, const std::string& file, const std::string& frozen,
                                         const std::string& thawed) {
    Copies copies = start_in_order(6);
    ASSERT_TRUE(all_show(copies, 6));
    for (std::size_t i = 1; i < 4; ++i) ASSERT_TRUE(group.add(copies[i].pid()));
    ASSERT_TRUE(group.write(file, frozen));
    Copy victim = take(copies, 0);
    victim.destroy();
    Copies others = start_in_order(1);
    others.push_back(take(copies, 4));
    others.push_back(take(copies, 3));
    EXPECT_TRUE(all_show(others, 6));
    ASSERT_TRUE(group.write(file, thawed));
    std::ranges::move(others, std::back_inserter(copies));
    expect_all_is_well(copies);
  }
};

TEST_F(Frozen, ByVersion1OfControlGroupsHideNoDeath) {
  const auto group = ControlGroup::make("cgroup", ",freezer,", "freezer.state");
  if (!group) GTEST_SKIP() << "needs a freezer of version 1 of control groups, which root may use";
  expect_truth_around_frozen_copies(*group, "freezer.state", "FROZEN", "THAWED");
}

TEST_F(Frozen, ByVersion2OfControlGroupsHideNoDeath) {
  const auto group = ControlGroup::make("cgroup2", "", "cgroup.freeze");
  if (!group) GTEST_SKIP() << "needs version 2 of control groups, which root may use";
  expect_truth_around_frozen_copies(*group, "cgroup.freeze", "1", "0");
}

/// A process that traces another one, as a debugger does.
class Tracer {
 public:
  enum class Then { let_it_run, keep_it_stopped, detach };

  Tracer(pid_t pid, Then then) : pid_(fork()) {
    if (pid_ == 0) {
      const bool attached = ptrace(then == Then::let_it_run ? PTRACE_SEIZE : PTRACE_ATTACH, pid, nullptr, nullptr) == 0;
      if (attached && then != Then::let_it_run) waitpid(pid, nullptr, __WALL);
      if (attached && then == Then::detach) ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
      raise(attached ? SIGSTOP : SIGKILL);  // which also says that it has done so
      pause();
      _exit(0);
    }
    int status = 0;
    works_ = waitpid(pid_, &status, WUNTRACED) == pid_ && WIFSTOPPED(status);
  }
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;
  Tracer(Tracer&&) = delete;
  Tracer& operator=(Tracer&&) = delete;
  ~Tracer() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] bool works() const { return works_; }

 private:
  pid_t pid_;
  bool works_ = false;
};

class Traced : public Stops {};

TEST_F(Traced, TheDeathOfACopyWhoseTracerIsStoppedIsSeen) {
  Copies copies = start_in_order(3);
  Copy victim = take(copies, 1);
  ASSERT_TRUE(all_show({&copies[0], &copies[1], &victim}, 3));
  {
    const Tracer tracer{victim.pid(), Tracer::Then::let_it_run};
    if (!tracer.works()) GTEST_SKIP() << "needs ptrace";
    victim.signal(SIGKILL);
    EXPECT_TRUE(all_show(copies, 2));
  }
  expect_all_is_well(copies);
}

TEST_F(Traced, ACopyThatItsTracerKeepsStoppedHidesNoDeathAndGoesOnWhenTheTracerIsKilled) {
  Copies copies = start_in_order(4);
  ASSERT_TRUE(all_show(copies, 4));
  {
    const Tracer tracer{copies[2].pid(), Tracer::Then::keep_it_stopped};
    if (!tracer.works()) GTEST_SKIP() << "needs ptrace";
    take(copies, 1).destroy();
    EXPECT_TRUE(all_show({&copies[0], &copies[2]}, 3));
  }
  expect_all_is_well(copies);
}

TEST_F(Traced, ACopyGoesOnWhenItsTracerDetaches) {
  Copies copies = start_in_order(3);
  ASSERT_TRUE(all_show(copies, 3));
  const Tracer tracer{copies[1].pid(), Tracer::Then::detach};
  if (!tracer.works()) GTEST_SKIP() << "needs ptrace";
  take(copies, 0).destroy();
  expect_all_is_well(copies);
}

#if defined(__x86_64__)
/// Has a process that waits in a system call make execve(2) instead.
bool exec_sleep(pid_t pid) {
  user_regs_struct registers{};
  if (ptrace(PTRACE_ATTACH, pid, nullptr, nullptr) != 0) return false;
  waitpid(pid, nullptr, __WALL);
  ptrace(PTRACE_GETREGS, pid, nullptr, &registers);
  struct {
    std::array<std::uint64_t, 3> arguments;
    std::array<char, 16> path;
    std::array<char, 16> seconds;
  } block{.arguments = {}, .path = {"/bin/sleep"}, .seconds = {"1000"}};
  const std::uint64_t address = (registers.rsp - 4096) & ~std::uint64_t{15};
  block.arguments = {address + sizeof block.arguments, address + sizeof block.arguments + sizeof block.path, 0};
  const iovec here{.iov_base = &block, .iov_len = sizeof block};
  const iovec there{.iov_base = reinterpret_cast<void*>(address),  // NOLINT(performance-no-int-to-ptr)
                    .iov_len = sizeof block};
  const bool written = process_vm_writev(pid, &here, 1, &there, 1, 0) == static_cast<ssize_t>(sizeof block);
  registers.rip -= 2;  // the instruction `syscall` again
  registers.rax = SYS_execve;
  registers.orig_rax = ~0ULL;  // no call is to be restarted
  registers.rdi = block.arguments[0];
  registers.rsi = address;
  registers.rdx = 0;
  ptrace(PTRACE_SETREGS, pid, nullptr, &registers);
  ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
  return written;
}

TEST_F(Traced, ACopyThatBecomesAnotherProgramIsGone) {
  Copies copies = start_in_order(4);
  ASSERT_TRUE(all_show(copies, 4));
  ASSERT_TRUE(eventually([&] { return waits_for_change(copies[1].pid()); }));
  Copy other_program = take(copies, 1);
  if (!exec_sleep(other_program.pid())) GTEST_SKIP() << "needs ptrace";
  EXPECT_TRUE(copies[0].prints("3 live  x " + std::to_string(other_program.pid())));
  EXPECT_FALSE(other_program.ended());
  expect_all_is_well(copies);
}
#endif

}  // namespace
}  // namespace share_data::test
