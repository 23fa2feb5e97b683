// Copies that have nothing to do.
#pragma once

#include <sys/syscall.h>
#include <sys/types.h>

#include <fstream>
#include <string>

#include "copies_test.h"

namespace share_data::test {

/// The system call that the process sleeps in (proc(5), /proc/PID/syscall), else -1. One that has been woken, but
/// has not run yet, does not sleep.
inline long call_of(pid_t pid) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/syscall"};
  long call = -1;
  return file >> call ? call : -1;
}

/// True if the process sleeps in the call in which a copy waits for all that may come.
inline bool waits_for_change(pid_t pid) { return call_of(pid) == SYS_futex_waitv; }

class AtRestTest : public CopiesTest {
 protected:
  /// The copies show how many they are and sleep without a wake-up; they leave when they are asked to, and leave
  /// nothing behind.
  void expect_all_is_well(Copies& copies) const {
    EXPECT_TRUE(all_show(copies, static_cast<int>(copies.size())));
    EXPECT_TRUE(thread_sanitized || all_sleep(copies));
    EXPECT_TRUE(all_leave(copies));
    EXPECT_TRUE(nothing_is_left());
  }

  /// Starts them one after the other, so that the first one has slot 0, and so on.
  [[nodiscard]] Copies start_in_order(int count, const Launch& launch = {}) const {
    Copies copies;
    for (int i = 0; i < count; ++i) {
      copies.push_back(start(launch));
      EXPECT_TRUE(copies.back().prints("joined"));
    }
    return copies;
  }

  /// Takes it out of the list, without waiting for its end.
  static Copy take(Copies& copies, std::size_t index) {
    const auto place = copies.begin() + static_cast<std::ptrdiff_t>(index);
    Copy copy = std::move(*place);
    copies.erase(place);
    return copy;
  }
};

}  // namespace share_data::test
