#include "failure.h"

#include <array>
#include <cerrno>
#include <system_error>

namespace share_data {
namespace {

constexpr std::array hints{
    Hint{"shmget", ENOSPC,
         "not the disk: all segment ids or pages that the system allows are in use; see `ipcs -m`, and raise "
         "kernel.shmmni or kernel.shmall with sysctl"},
    Hint{"shmat", EACCES, "the segment's permissions do not let us read and write; see `ipcs -m -p`"},
    Hint{"shmctl IPC_RMID", 0, "the segment stays behind; see `ipcs -m`"},
    Hint{"shm", ENOMEM, "no memory left for 172 KiB; see `ulimit -v` and the limit of the control group"},
    Hint{"shm", ENOSYS, "this kernel or sandbox has no System V shared memory"},
    Hint{"shm", EPERM, "this sandbox does not allow System V shared memory"},
    Hint{"mmap", 0, "no memory left for one page; see `ulimit -v` and the limit of the control group"},
    Hint{"set_robust_list", 0, "this kernel or sandbox has no robust futexes, which the count is built on"},
    Hint{"timer_create", EAGAIN, "no timer left for this user; see `ulimit -i`"},
    Hint{"futex_waitv", 0, "no memory left to wait; see the limit of the control group"},
};

}  // namespace

std::span<const Hint> hints_for_calls() { return hints; }

std::string system_message(int error) { return std::generic_category().message(error); }

}  // namespace share_data
