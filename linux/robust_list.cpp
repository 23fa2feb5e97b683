#include "robust_list.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "failed_call.h"

namespace share_data {

// Shared memory, although nobody shares it: a process that the out-of-memory killer ends loses its private memory
// before the kernel walks the list (process_mrelease(2) does the same). Locked, because the kernel cannot read back
// what was swapped out once the control group is at its limit; if locking is not allowed, that risk remains. Never
// unmapped.
RobustList::RobustList(const Log& log) {
  void* const memory = mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw failed_call(errno, "mmap");
  page_ = static_cast<Page*>(memory);
  mlock(page_, sizeof(Page));
  page_->head.list.next = &page_->head.list;  // a ring of nothing but the head is empty
  const long result = syscall(SYS_set_robust_list, &page_->head, sizeof page_->head);
  if (result != 0) throw failed_call(errno, "set_robust_list");
  log.explain("set_robust_list({}): however this process ends, the kernel marks the words that this list points at",
              fmt::ptr(page_));
}

// All of this comes before the claim: until then the owner word has no TID or another one, and the kernel passes
// over it. `list_op_pending` stays null, for the kernel would take that node last.
void RobustList::point_at(const Slot& slot) {
  page_->head.futex_offset = reinterpret_cast<const char*>(&slot.owner) - reinterpret_cast<char*>(page_->nodes.data());
  robust_list* last = &page_->head.list;
  for (robust_list& node : page_->nodes) last = last->next = &node;
  last->next = &page_->head.list;
}

}  // namespace share_data
