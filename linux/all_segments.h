// All shared memory segments of the system, as ipcs(1) lists them.
#pragma once

#include <sys/ipc.h>
#include <sys/shm.h>

namespace share_data {

/// Calls `visit(id, info)` for each of them. `command` is SHM_STAT, which leaves out those that we may not read, or
/// SHM_STAT_ANY; both take the kernel's own index (shmctl(2)).
template <typename Visit>
void for_each_segment(int command, Visit visit) {
  shm_info totals{};
  const int highest = shmctl(0, SHM_INFO, reinterpret_cast<shmid_ds*>(&totals));
  for (int index = 0; index <= highest; ++index) {
    shmid_ds info{};
    const int id = shmctl(index, command, &info);
    if (id >= 0) visit(id, info);
  }
}

}  // namespace share_data
