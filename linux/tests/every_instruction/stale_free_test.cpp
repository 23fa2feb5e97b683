// A copy is stopped after it has told of a death and before it frees the slot. Meanwhile others free the slot, another
// copy joins there and is killed. Now the stopped one goes on and frees the slot, before anybody has told of this
// death.
#include <sys/syscall.h>
#include <sys/uio.h>

#include "at_rest.h"
#include "tracee.h"

namespace share_data::test {
namespace {

using StaleFree = AtRestTest;

bool locked(pid_t pid, Address address) {
  unsigned char byte = 0;
  iovec here{&byte, 1};
  iovec there{reinterpret_cast<void*>(address), 1};
  return process_vm_readv(pid, &here, 1, &there, 1, 0) == 1 && byte == 0xf0;
}

TEST_F(StaleFree, OfASlotHidesNoDeath) {
  Copies copies = start_in_order(10, {.options = {"--quiet"}});
  ASSERT_TRUE(all_show(copies, 10));
  for (Copy& copy : copies) ASSERT_TRUE(eventually([&] { return waits_for_change(copy.pid()); }));
  for (std::size_t i = 2; i < 10; ++i) {
    copies[i].signal(SIGSTOP);
    ASSERT_TRUE(is_stopped(copies[i]));
  }
  Tracee a = Tracee::in_call(copies[1].pid(), SYS_futex_waitv);
  copies[0].destroy();
  a.finish_step();
  for (;;) {  // to the call that tells the others
    const auto call = a.next_call();
    a.step();
    if (call && call->number == SYS_futex) break;
  }
  while (!locked(copies[1].pid(), a.address())) a.step();
  for (std::size_t i = 2; i < 10; ++i) copies[i].signal(SIGCONT);
  std::vector<Copy*> others;
  for (std::size_t i = 2; i < 10; ++i) others.push_back(&copies[i]);
  ASSERT_TRUE(all_show(others, 9));
  Copy newcomer = start({"--quiet"});  // in slot 0
  others.push_back(&newcomer);
  ASSERT_TRUE(all_show(others, 10));
  others.pop_back();
  for (Copy* copy : others) ASSERT_TRUE(eventually([&] { return waits_for_change(copy->pid()); }));
  std::vector<Tracee> woken;
  for (std::size_t i = 2; i < 6; ++i) woken.push_back(Tracee::in_call(copies[i].pid(), SYS_futex_waitv));
  for (std::size_t i = 6; i < 10; ++i) {
    copies[i].signal(SIGSTOP);
    ASSERT_TRUE(is_stopped(copies[i]));
    copies[i].signal(SIGCONT);
    ASSERT_TRUE(eventually([&] { return waits_for_change(copies[i].pid()); }));
  }
  newcomer.destroy();
  for (Tracee& tracee : woken) ASSERT_TRUE(tracee.finish_step());
  a.step();  // the stale CAS
  for (Tracee& tracee : woken) tracee.leave_stopped();
  a.leave_stopped();
  for (std::size_t i = 1; i < 6; ++i) copies[i].signal(SIGCONT);
  EXPECT_TRUE(eventually([&] { return copies[2].shown() == 9 && copies[5].shown() == 9; }));
  EXPECT_TRUE(eventually([&] { return copies[8].shown() == 9 && copies[9].shown() == 9; }));
}

}  // namespace
}  // namespace share_data::test
