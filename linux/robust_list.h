// What makes the kernel answer for a copy: its robust list (set_robust_list(2)).
//
// However a process ends, be it kill -9, a crash, the out-of-memory killer or a normal exit, the kernel walks this
// list on the way out. For each node it looks at the word `futex_offset` bytes further on. If the word holds the
// TID of the dying thread, the kernel replaces the TID by the bit OWNER_DIED and wakes one waiter of the word. This
// was made for locks. There is no lock here, only the owner words of a slot, with one node for each.
#pragma once

#include <linux/futex.h>

#include <array>

#include "log.h"
#include "table.h"

namespace share_data {

/// The robust list of this process, which has one thread: the kernel keeps one list for each thread.
class RobustList {
 public:
  /// Registers an empty list. Throws Failure.
  explicit RobustList(const Log& log);

  /// From now on the kernel answers for this slot and no other one, as soon as its owner word holds our TID. The
  /// slot must stay mapped until the process ends.
  void point_at(const Slot& slot);

 private:
  struct Page {
    robust_list_head head;
    std::array<robust_list, 1 + std::tuple_size_v<decltype(Slot::alarms)>> nodes;  // 8 bytes apart, as the words
  };

  Page* page_;
};

}  // namespace share_data
