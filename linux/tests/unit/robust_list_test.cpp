// What the whole count is built on: however a process ends, the kernel marks its words and wakes those who wait.
#include "robust_list.h"

#include <sys/mman.h>
#include <sys/ptrace.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "child.h"

namespace share_data::test {
namespace {

class RobustListTest : public testing::Test {
 protected:
  void SetUp() override {
    void* const memory = mmap(nullptr, 2 * sizeof(Slot), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    slots = static_cast<Slot*>(memory);  // never unmapped
  }

  static std::vector<std::atomic<Word>*> words_of(Slot& slot) {
    return {&slot.owner, &slot.alarms[0].word, &slot.alarms[1].word, &slot.alarms[2].word};
  }

  static bool all_are(Slot& slot, Word value) {
    return std::ranges::all_of(words_of(slot), [&](const std::atomic<Word>* word) { return *word == value; });
  }

  /// Starts a child that has both slots, of which its robust list points at the second, and that ends so.
  void start(const std::function<void()>& end) {
    child.emplace([&] {
      prctl(PR_SET_DUMPABLE, 0);  // a core dump would only take time
      const Log log{{}, 0};
      RobustList list{log};
      for (Slot* slot : {&slots[0], &slots[1]}) {
        list.point_at(*slot);
        for (std::atomic<Word>* word : words_of(*slot)) *word = running_word(static_cast<Word>(getpid()));
      }
      slots[1].leaver = static_cast<Word>(getpid());
      end();
      for (;;) pause();
    });
    ASSERT_TRUE(eventually([&] { return slots[1].leaver == child->tid(); }));
  }

  void expect_marked() {
    EXPECT_TRUE(eventually([&] { return all_are(slots[1], marked_word); }));
    EXPECT_TRUE(all_are(slots[0], running_word(child->tid()))) << "the list points there no more";
  }

  Slot* slots = nullptr;
  std::optional<Child> child;
};

TEST_F(RobustListTest, HoweverAProcessEndsItsWordsAreMarked) {
  for (void (*end)() : {+[] { _exit(0); }, +[] { raise(SIGKILL); }, +[] { std::abort(); },
                        +[] { execlp("sleep", "sleep", "60", nullptr); }}) {
    start(end);
    expect_marked();
  }
}

TEST_F(RobustListTest, AWordThatHoldsAnotherTidIsLeftAsItIs) {
  start([] {});
  slots[1].alarms[1].word = running_word(1);
  kill(child->pid(), SIGKILL);
  EXPECT_TRUE(eventually([&] { return slots[1].owner == marked_word && slots[1].alarms[2].word == marked_word; }));
  EXPECT_EQ(slots[1].alarms[1].word, running_word(1));
}

// The out-of-memory killer takes the memory of a process before the process ends. The child is held on its way out
// (PTRACE_EVENT_EXIT), so that process_mrelease(2) can do the same for sure.
TEST_F(RobustListTest, WhatTheOutOfMemoryKillerTakesDoesNotMatter) {
  start([] {});
  if (ptrace(PTRACE_SEIZE, child->pid(), nullptr, PTRACE_O_TRACEEXIT) != 0) GTEST_SKIP() << "may not trace";
  const FileDescriptor pidfd{static_cast<int>(syscall(SYS_pidfd_open, child->pid(), 0))};
  kill(child->pid(), SIGKILL);
  int status = 0;
  ASSERT_EQ(waitpid(child->pid(), &status, 0), child->pid());
  ASSERT_EQ(status >> 8, SIGTRAP | (PTRACE_EVENT_EXIT << 8));
  const bool taken = syscall(SYS_process_mrelease, pidfd.get(), 0) == 0;
  ptrace(PTRACE_DETACH, child->pid(), nullptr, nullptr);
  if (!taken) GTEST_SKIP() << "this kernel has no process_mrelease";
  expect_marked();
}

}  // namespace
}  // namespace share_data::test
