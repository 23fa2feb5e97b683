#include "failure.h"

#include <array>
#include <cerrno>
#include <system_error>

namespace share_data {
namespace {

constexpr auto forbidden = "a sandbox or a security policy forbids the call, or this kernel lacks it";

constexpr std::array hints{
    Hint{"shmget", ENOSPC,
         "not the disk: all segment ids or pages that the system allows are in use; see `ipcs -m`, and raise "
         "kernel.shmmni or kernel.shmall with sysctl"},
    Hint{"shmget IPC_CREAT", EINVAL, "the system allows no segment of 52 KiB; raise kernel.shmmax with sysctl"},
    Hint{"shmat", EACCES,
         "another user's segment has this key (see `ipcs -m`), or a sandbox or a security policy forbids the call; "
         "count under another key with --key"},
    Hint{"shmctl IPC_RMID", 0, "the segment stays behind; see `ipcs -m`"},
    Hint{"set_robust_list", 0, "this kernel or sandbox has no robust futexes, which the count is built on"},
    Hint{"timer_create", EAGAIN, "no timer left for this user; see `ulimit -i`"},
    Hint{"shm", ENOMEM, "no memory left for 52 KiB; see `ulimit -v` and the limit of the control group"},
    Hint{"", ENOMEM, "no memory left; see `ulimit -v` and the limit of the control group"},
    Hint{"", ENOSYS, forbidden},
    Hint{"", EPERM, forbidden},
    Hint{"", EACCES, forbidden},
    Hint{"", EOPNOTSUPP, forbidden},
};

}  // namespace

std::span<const Hint> hints_for_calls() { return hints; }

std::string system_message(int error) { return std::generic_category().message(error); }

}  // namespace share_data
