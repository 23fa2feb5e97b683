// Memory that is taken away, limits of all kinds, and deaths for want of memory.
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "at_rest.h"
#include "control_group.h"

namespace share_data::test {
namespace {

class Memory : public AtRestTest {
 protected:
  /// In the child: may lock no memory, even as root.
  static void give_up_locking() {
    prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK, 0, 0, 0);
    const rlimit none{.rlim_cur = 0, .rlim_max = 0};
    setrlimit(RLIMIT_MEMLOCK, &none);
  }
};

/// A group whose memory can be limited.
class MemoryGroup {
 public:
  MemoryGroup() : group_(ControlGroup::make("cgroup", ",memory,", "memory.limit_in_bytes")) {
    if (group_) {
      limit_file_ = "memory.limit_in_bytes";
    } else if ((group_ = ControlGroup::make("cgroup2", "", "memory.max"))) {
      limit_file_ = "memory.max";
      group_->write("memory.swap.max", "0");
    }
  }
  [[nodiscard]] bool works() const { return group_.has_value(); }
  [[nodiscard]] bool limit(int kilobytes) const { return group_->write(limit_file_, std::to_string(kilobytes * 1024)); }
  [[nodiscard]] std::string members() const { return group_->path("cgroup.procs"); }

 private:
  std::optional<ControlGroup> group_;
  std::string limit_file_;
};

/// In the child.
void join(const std::string& members) { std::ofstream{members} << getpid(); }

TEST_F(Memory, ACopyThatRunsOutOfMemoryWhileItStartsLeavesTheOthersTheTruth) {
  if (sanitized) GTEST_SKIP() << "a sanitizer needs more memory";
  const MemoryGroup group;
  if (!group.works()) GTEST_SKIP() << "needs control groups for memory, which root may use";
  Copies copies = start_in_order(2);
  int killed = 0;
  for (int kilobytes = 64; kilobytes <= 1024; kilobytes += 16) {
    ASSERT_TRUE(group.limit(kilobytes));
    Copy victim = start(Launch{.options = {"--for", "0.01"}, .before_exec = [&] { join(group.members()); }});
    const int code = victim.exit_code().value_or(-1000);
    EXPECT_TRUE(code >= 0 || code == -SIGKILL || code == -SIGSEGV) << code;
    if (code == -SIGKILL) ++killed;
    ASSERT_TRUE(all_show(copies, 2)) << kilobytes;
  }
  EXPECT_GT(killed, 0) << "the limits were too high for this system";
  expect_all_is_well(copies);
}

TEST_F(Memory, CopiesThatTheOutOfMemoryKillerEndsAreSeenAsDeaths) {
  const MemoryGroup group;
  if (!group.works()) GTEST_SKIP() << "needs control groups for memory, which root may use";
  ASSERT_TRUE(group.limit(sanitized ? 512 * 1024 : 16 * 1024));
  Copies copies = start_in_order(2);
  Copies victims = start_in_order(3, {.before_exec = [&] {
                                    join(group.members());
                                    std::ofstream{"/proc/self/oom_score_adj"} << 1000;  // the first one to be killed
                                  }});
  ASSERT_TRUE(all_show(copies, 5));
  const pid_t hog = fork();
  if (hog == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    join(group.members());
    const int file = memfd_create("", 0);  // memory that the group pays for, but no process
    for (const std::array<char, 4096> page{}; write(file, page.data(), page.size()) > 0;) {}
    pause();
  }
  for (Copy& victim : victims) {
    EXPECT_TRUE(copies[0].prints(std::to_string(victim.pid())));
    EXPECT_EQ(victim.exit_code(), -SIGKILL);
  }
  kill(hog, SIGKILL);
  waitpid(hog, nullptr, 0);
  expect_all_is_well(copies);
}

TEST_F(Memory, ACopyWhoseMemoryIsReapedAtOnceIsSeenAsADeath) {
  Copies copies = start_in_order(2);
  for (int round = 0; round < scaled(50); ++round) {
    Copy victim = start();
    ASSERT_TRUE(all_show({&copies[0], &copies[1], &victim}, 3));
    const auto process = static_cast<int>(syscall(SYS_pidfd_open, victim.pid(), 0));
    victim.signal(SIGKILL);
    const bool known = syscall(SYS_process_mrelease, process, 0) == 0 || errno != ENOSYS;
    close(process);
    if (!known) GTEST_SKIP() << "needs process_mrelease";
    ASSERT_TRUE(all_show(copies, 2));
  }
  expect_all_is_well(copies);
}

/// Has the kernel move all memory of a process to swap, as far as it can.
void page_out(pid_t pid) {
  const auto process = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  std::ifstream maps{fmt::format("/proc/{}/maps", pid)};
  for (std::string line; std::getline(maps, line);) {
    std::size_t end_of_begin = 0;
    const auto begin = std::stoull(line, &end_of_begin, 16);
    const auto end = std::stoull(line.substr(end_of_begin + 1), nullptr, 16);
    const iovec range{.iov_base = reinterpret_cast<void*>(begin),  // NOLINT(performance-no-int-to-ptr)
                      .iov_len = end - begin};
    syscall(SYS_process_madvise, process, &range, 1, MADV_PAGEOUT, 0);
  }
  close(process);
}

bool has_swap() {
  std::ifstream swaps{"/proc/swaps"};
  std::string line;
  return std::getline(swaps, line) && std::getline(swaps, line);
}

TEST_F(Memory, ACopyThatIsKilledWhileAllOfItIsSwappedOutIsSeenAsADeath) {
  if (!has_swap()) GTEST_SKIP() << "needs swap";
  for (const bool may_lock : {true, false}) {
    Copies copies = start_in_order(2);
    for (int round = 0; round < scaled(20); ++round) {
      Copy victim = start(may_lock ? Launch{} : Launch{.before_exec = give_up_locking});
      ASSERT_TRUE(all_show({&copies[0], &copies[1], &victim}, 3));
      for (const Copy* const copy : {&victim, &copies[0], &copies[1]}) page_out(copy->pid());
      victim.destroy();
      ASSERT_TRUE(all_show(copies, 2));
    }
    expect_all_is_well(copies);
  }
}

struct Limit {
  const char* name;
  int resource;
  rlim_t value;
};

class Limited : public Memory, public testing::WithParamInterface<Limit> {};

TEST_P(Limited, CopiesCountAsEver) {
  if (sanitized) GTEST_SKIP() << "a sanitizer needs descriptors, threads and memory itself";
  Copies copies = start_in_order(5, {.before_exec = [] {
                                   if (GetParam().resource == RLIMIT_MEMLOCK) give_up_locking();
                                   const rlimit limit{.rlim_cur = GetParam().value, .rlim_max = GetParam().value};
                                   setrlimit(GetParam().resource, &limit);
                                 }});
  ASSERT_TRUE(all_show(copies, 5));
  take(copies, 1).destroy();
  EXPECT_TRUE(all_show(copies, 4));
  EXPECT_EQ(take(copies, 1).stop(), 0);
  expect_all_is_well(copies);
}

INSTANTIATE_TEST_SUITE_P(By, Limited,
                         testing::Values(Limit{"ulimit_n", RLIMIT_NOFILE, 3}, Limit{"ulimit_u", RLIMIT_NPROC, 1},
                                         Limit{"ulimit_l", RLIMIT_MEMLOCK, 0}, Limit{"ulimit_c", RLIMIT_CORE, 0},
                                         Limit{"ulimit_f", RLIMIT_FSIZE, 0}),
                         [](const auto& test) { return std::string{test.param.name}; });

TEST_F(Memory, ATooSmallAddressSpaceIsSaidOrEndsTheStartAndDisturbsNobody) {
  if (sanitized) GTEST_SKIP() << "a sanitizer needs address space itself";
  Copies copies = start_in_order(2);
  int joined = 0;
  for (rlim_t kilobytes = 128; kilobytes <= 16 * 1024; kilobytes += kilobytes / 8) {
    Copy victim = start(Launch{.options = {"--for", "0.01"}, .before_exec = [=] {
                                 const rlimit limit{.rlim_cur = kilobytes * 1024, .rlim_max = kilobytes * 1024};
                                 setrlimit(RLIMIT_AS, &limit);
                               }});
    const int code = victim.exit_code().value_or(-1000);
    if (code == 0) ++joined;
    EXPECT_TRUE(code != 1 || victim.notes().find("share_data: ") != std::string::npos) << victim.notes();
    ASSERT_TRUE(all_show(copies, 2)) << kilobytes;
  }
  EXPECT_GT(joined, 0);
  expect_all_is_well(copies);
}

}  // namespace
}  // namespace share_data::test
