// The kernel wakes one waiter of each of the four words of a copy that dies. As long as one of those that it wakes
// is not stopped before it can tell the others, everybody shows the truth.
#include <sys/syscall.h>

#include <vector>

#include "at_rest.h"
#include "copies_test.h"
#include "tracee.h"

namespace share_data::test {
namespace {

class StoppedWhenWoken : public CopiesTest, public testing::WithParamInterface<int> {};

TEST_P(StoppedWhenWoken, HidesADeathFromNobody) {
  Copies copies = start_many(8, {"--quiet"});
  ASSERT_TRUE(all_show(copies, 8));
  // One after the other, so that each is the first in the queue of its word.
  std::vector<Tracee> woken;
  const auto held = static_cast<std::size_t>(GetParam());
  for (std::size_t i = 1; i <= held; ++i) woken.push_back(Tracee::in_call(copies[i].pid(), SYS_futex_waitv));
  for (std::size_t i = held + 1; i < copies.size(); ++i) {
    ASSERT_TRUE(eventually([&] { return waits_for_change(copies[i].pid()); }));
    copies[i].signal(SIGSTOP);
    ASSERT_TRUE(is_stopped(copies[i]));
    copies[i].signal(SIGCONT);
    ASSERT_TRUE(eventually([&] { return waits_for_change(copies[i].pid()); }));
  }
  copies[0].destroy();
  for (Tracee& tracee : woken) ASSERT_TRUE(tracee.finish_step());
  std::vector<Copy*> others = pointers_to(copies);
  others.erase(others.begin(), others.begin() + 1 + GetParam());
  EXPECT_TRUE(all_show(others, 7));
  for (Tracee& tracee : woken) tracee.leave_stopped();
  for (std::size_t i = 1; i <= held; ++i) copies[i].signal(SIGCONT);
  copies.erase(copies.begin());
  EXPECT_TRUE(all_show(copies, 7));
  EXPECT_TRUE(all_leave(copies));
  EXPECT_TRUE(nothing_is_left());
}

INSTANTIATE_TEST_SUITE_P(Of, StoppedWhenWoken, testing::Values(1, 2, 3),
                         [](const auto& test) { return "TheFirst" + std::to_string(test.param); });

}  // namespace
}  // namespace share_data::test
