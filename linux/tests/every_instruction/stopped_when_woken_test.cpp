// Copies that are stopped after the kernel has woken them, or while they tell the others, hide no death.
#include <sys/syscall.h>

#include "copies.h"
#include "tracee.h"

namespace share_data::test {
namespace {

/// Has them wait anew, one after the other, so that they come after everybody else in the queues of the words.
void go_to_the_end_of_the_queue(const Group& copies) {
  for (Copy* const copy : copies) {
    suspend({copy});
    copy->signal(SIGCONT);
    ASSERT_TRUE(all_wait_for_change({copy}));
  }
}

class StoppedWhenWoken : public CopiesTest, public testing::WithParamInterface<std::size_t> {};

// The kernel wakes one waiter of each of the four words of a copy that dies. As long as one of those that it wakes
// is not stopped before it can tell the others, everybody shows the truth.
TEST_P(StoppedWhenWoken, HidesADeathFromNobody) {
  Copies copies = start_together(8, {.options = {"--quiet"}});
  Copy victim = take(copies, 0);
  std::vector<Tracee> woken;
  for (std::size_t i = 0; i < GetParam(); ++i) woken.push_back(Tracee::in_call(copies[i].pid(), SYS_futex_waitv));
  const Group all{copies};
  const Group others{all.begin() + static_cast<std::ptrdiff_t>(GetParam()), all.end()};
  ASSERT_TRUE(all_wait_for_change(others));
  go_to_the_end_of_the_queue(others);
  victim.destroy();
  for (Tracee& tracee : woken) ASSERT_TRUE(tracee.finish_step());
  EXPECT_TRUE(all_show(others, 7));
  for (Tracee& tracee : woken) tracee.leave_stopped();
  signal(copies, SIGCONT);
  EXPECT_TRUE(all_show(copies));
  expect_clean_end(copies);
}

INSTANTIATE_TEST_SUITE_P(Of, StoppedWhenWoken, testing::Values(1, 2, 3),
                         [](const auto& test) { return "TheFirst" + std::to_string(test.param); });

using StaleFree = CopiesTest;

// A copy is stopped after it has told of a death and before it frees the slot. Meanwhile others free the slot, another
// copy joins there and is killed. Now the stopped one goes on and frees the slot, before anybody has told of this
// death.
TEST_F(StaleFree, OfASlotHidesNoDeath) {
  Copies copies = start_in_order(10, {.options = {"--quiet"}});
  ASSERT_TRUE(all_show(copies));
  ASSERT_TRUE(all_wait_for_change(copies));
  Copy first = take(copies, 0);
  Copy stale = take(copies, 0);
  suspend(copies);
  Tracee tracee = Tracee::in_call(stale.pid(), SYS_futex_waitv);
  first.destroy();
  tracee.finish_step();
  for (bool told = false; !told; tracee.step()) {
    const auto call = tracee.next_call();
    ASSERT_FALSE(call && call->number == SYS_futex_waitv) << "it waits again, and has told nobody";
    told = call && call->number == SYS_futex;
  }
  constexpr std::uint64_t lock_prefix = 0xf0;  // of its compare-and-swap
  while ((tracee.next_bytes() & 0xff) != lock_prefix) tracee.step();
  signal(copies, SIGCONT);
  ASSERT_TRUE(all_show(copies, 9));
  copies.push_back(start({.options = {"--quiet"}}));  // in slot 0
  ASSERT_TRUE(all_show(copies, 10));
  Copy newcomer = take(copies, 8);
  ASSERT_TRUE(all_wait_for_change(copies));
  std::vector<Tracee> woken;
  for (std::size_t i = 0; i < 4; ++i) woken.push_back(Tracee::in_call(copies[i].pid(), SYS_futex_waitv));
  go_to_the_end_of_the_queue({&copies[4], &copies[5], &copies[6], &copies[7]});
  newcomer.destroy();
  for (Tracee& each : woken) ASSERT_TRUE(each.finish_step());
  tracee.step();
  for (Tracee& each : woken) each.leave_stopped();
  tracee.leave_stopped();
  copies.push_back(std::move(stale));
  signal(copies, SIGCONT);
  EXPECT_TRUE(all_show(copies));
  expect_clean_end(copies);
}

}  // namespace
}  // namespace share_data::test
