// Memory that is taken away. What the out-of-memory killer does is in RobustListTest.
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>

#include "copies.h"

namespace share_data::test {
namespace {

using Memory = CopiesTest;

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
        const rlimit none{.rlim_cur = 0, .rlim_max = 0};
        if (!may_lock) prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK, 0, 0, 0);  // root has no limit else
        if (!may_lock) setrlimit(RLIMIT_MEMLOCK, &none);
      }});
      ASSERT_TRUE(all_show({&copies[0], &copies[1], &victim}, 3));
      for (const Copy* const copy : {&victim, &copies[0], &copies[1]}) page_out(*copy);
      victim.destroy();
      ASSERT_TRUE(all_show(copies));
    }
    expect_all_is_well(copies);
  }
}

}  // namespace
}  // namespace share_data::test
