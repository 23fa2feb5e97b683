// What makes the kernel mark the slot of a copy that ends: its robust list (set_robust_list(2)), as in lesson/exact.cpp
// and the README. For each node of the list, the kernel looks at the word `futex_offset` bytes further on. This list
// has one node for each of the four words of a slot.
#pragma once

#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "failure.h"
#include "log.h"
#include "table.h"

namespace share_data {

/// The robust list of this process, which has one thread: the kernel keeps one list for each thread.
class RobustList {
 public:
  /// Registers an empty list: a ring of nothing but its head. Throws Failure.
  explicit RobustList(const Log& log) {
    // Shared memory: the out-of-memory killer takes private memory before the kernel walks the list. Locked: the kernel
    // cannot read back what was swapped out if the control group is at its limit. If locking is refused, that risk
    // remains.
    void* const memory = mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw failed_call(errno, "mmap");
    mlock(memory, sizeof(Page));
    page_ = static_cast<Page*>(memory);  // never unmapped
    page_->head.list.next = &page_->head.list;
    const long result = syscall(SYS_set_robust_list, &page_->head, sizeof page_->head);
    if (result != 0) throw failed_call(errno, "set_robust_list");
    // Emulators and sandboxes can pretend. One that does not even let us ask is trusted.
    const robust_list_head* known = nullptr;
    std::size_t size = 0;
    if (syscall(SYS_get_robust_list, 0, &known, &size) == 0 && known != &page_->head) {
      throw failed_call(ENOSYS, "set_robust_list, which says 0 and does nothing");
    }
    log.explain("set_robust_list({}): however this process ends, the kernel marks the words that this list points at",
                fmt::ptr(page_));
  }

  /// From now on the kernel marks this slot and no other one, as soon as its owner word holds our TID: until the claim,
  /// the kernel passes over it. The slot must stay mapped until the process ends. `list_op_pending` stays null, for the
  /// kernel would take that node last.
  void point_at(const Slot& slot) {
    const auto word = reinterpret_cast<std::uintptr_t>(&slot.owner);
    page_->head.futex_offset = static_cast<long>(word - reinterpret_cast<std::uintptr_t>(page_->nodes.data()));
    robust_list* last = &page_->head.list;
    for (robust_list& node : page_->nodes) {
      last->next = &node;
      last = &node;
    }
    last->next = &page_->head.list;  // a ring
  }

 private:
  struct Page {
    robust_list_head head;
    std::array<robust_list, 1 + std::tuple_size_v<decltype(Slot::alarms)>> nodes;  // 8 bytes apart, as the words
  };
  static_assert(sizeof(robust_list) == 8, "share_data needs a 64-bit system: elsewhere nodes are not 8 bytes apart");

  Page* page_;
};

}  // namespace share_data
