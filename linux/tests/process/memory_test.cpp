// Memory that is taken away, limits of all kinds, and deaths for want of memory.
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>

#include "control_group.h"
#include "copies.h"

namespace share_data::test {
namespace {

/// In the child.
void limit(int resource, rlim_t value) {
  if (resource == RLIMIT_MEMLOCK) prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK, 0, 0, 0);  // root has no limit else
  const rlimit both{.rlim_cur = value, .rlim_max = value};
  setrlimit(resource, &both);
}

class Memory : public CopiesTest {
 protected:
  /// Limits the memory of the group.
  [[nodiscard]] bool limit_group(int kilobytes) const {
    group.write("memory.swap.max", "0");
    return group.set(std::to_string(kilobytes * 1024));
  }

  const ControlGroup group{{{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"}, {"/sys/fs/cgroup", "memory.max"}}};
};

constexpr const char* no_group = "needs control groups for memory, which root may use";

TEST_F(Memory, ACopyThatHasTooLittleWhileItStartsSaysSoOrIsKilledAndDisturbsNobody) {
  if (sanitized) GTEST_SKIP() << "a sanitizer needs more memory";
  Copies copies = start_together(2);
  int killed = 0;
  for (int kilobytes = 64; kilobytes <= 16 * 1024; kilobytes += kilobytes / 8) {
    for (const bool of_group : {false, true}) {
      if (of_group && (!group.works() || kilobytes > 1024)) continue;
      ASSERT_TRUE(!of_group || limit_group(kilobytes));
      const Answer answer =
          start({.options = {"--for", "0.01"},
                 .before_exec =
                     [&] {
                       of_group ? (void)group.add(getpid()) : limit(RLIMIT_AS, static_cast<rlim_t>(kilobytes) * 1024);
                     }})
              .answer();
      EXPECT_TRUE(answer.exit_code >= 0 || answer.exit_code == -SIGKILL || answer.exit_code == -SIGSEGV)
          << answer.exit_code;
      EXPECT_TRUE(answer.exit_code != 1 || contains(answer.notes, "share_data: "));
      killed += answer.exit_code == -SIGKILL ? 1 : 0;
      ASSERT_TRUE(all_show(copies)) << kilobytes;
    }
  }
  EXPECT_TRUE(killed > 0 || !group.works()) << "the limits were too high for this system";
  expect_all_is_well(copies);
}

TEST_F(Memory, CopiesThatTheOutOfMemoryKillerEndsAreSeenAsDeaths) {
  if (!group.works()) GTEST_SKIP() << no_group;
  ASSERT_TRUE(limit_group(sanitized ? 512 * 1024 : 16 * 1024));
  Copies copies = start_together(2);
  Copies victims = start_in_order(3, {.before_exec = [&] {
                                    (void)group.add(getpid());
                                    std::ofstream{"/proc/self/oom_score_adj"} << 1000;  // the first one to be killed
                                  }});
  ASSERT_TRUE(all_show(copies, 5));
  const Child hog{[&] {
    (void)group.add(getpid());
    const int file = memfd_create("", 0);  // memory that the group pays for, but no process
    for (const std::array<char, 4096> page{}; write(file, page.data(), page.size()) > 0;) {}
    pause();
  }};
  for (Copy& victim : victims) {
    EXPECT_TRUE(copies[0].prints(std::to_string(victim.pid())));
    EXPECT_EQ(victim.exit_code(), -SIGKILL);
  }
  expect_all_is_well(copies);
}

/// Has the kernel move all memory of a process to swap, as far as it can.
void page_out(const Copy& copy) {
  const FileDescriptor process = open_process(copy.pid());
  std::ifstream maps{fmt::format("/proc/{}/maps", copy.pid())};
  for (std::string line; std::getline(maps, line);) {
    std::size_t end_of_begin = 0;
    const auto begin = std::stoull(line, &end_of_begin, 16);
    const auto end = std::stoull(line.substr(end_of_begin + 1), nullptr, 16);
    const iovec range{.iov_base = reinterpret_cast<void*>(begin), .iov_len = end - begin};
    syscall(SYS_process_madvise, process.get(), &range, 1, MADV_PAGEOUT, 0);
  }
}

TEST_F(Memory, ACopyThatIsKilledWhileAllOfItIsSwappedOutIsSeenAsADeath) {
  std::ifstream swaps{"/proc/swaps"};
  if (std::string line; !std::getline(swaps, line) || !std::getline(swaps, line)) GTEST_SKIP() << "needs swap";
  for (const bool may_lock : {true, false}) {
    Copies copies = start_together(2);
    for (int round = 0; round < scaled(20); ++round) {
      Copy victim = start({.before_exec = [=] {
        if (!may_lock) limit(RLIMIT_MEMLOCK, 0);
      }});
      ASSERT_TRUE(all_show({&copies[0], &copies[1], &victim}, 3));
      for (const Copy* const copy : {&victim, &copies[0], &copies[1]}) page_out(*copy);
      victim.destroy();
      ASSERT_TRUE(all_show(copies));
    }
    expect_all_is_well(copies);
  }
}

struct Limit {
  const char* name;
  int resource;
  rlim_t value;
};

class Limited : public CopiesTest, public testing::WithParamInterface<Limit> {};

TEST_P(Limited, CopiesCountAsEver) {
  if (sanitized) GTEST_SKIP() << "a sanitizer needs descriptors, threads and memory itself";
  Copies copies = start_in_order(5, {.before_exec = [] { limit(GetParam().resource, GetParam().value); }});
  ASSERT_TRUE(all_show(copies));
  take(copies, 1).destroy();
  EXPECT_TRUE(all_show(copies));
  EXPECT_EQ(take(copies, 1).stop(), 0);
  expect_all_is_well(copies);
}

INSTANTIATE_TEST_SUITE_P(By, Limited,
                         testing::Values(Limit{"ulimit_n", RLIMIT_NOFILE, 3}, Limit{"ulimit_u", RLIMIT_NPROC, 1},
                                         Limit{"ulimit_l", RLIMIT_MEMLOCK, 0}, Limit{"ulimit_c", RLIMIT_CORE, 0},
                                         Limit{"ulimit_f", RLIMIT_FSIZE, 0}),
                         by_name);

}  // namespace
}  // namespace share_data::test
