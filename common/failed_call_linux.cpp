#include "failed_call.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace share_data {
namespace {

struct Hint {
  std::string_view call;  ///< how its name begins
  int error;              ///< 0: any
  const char* text;
};

constexpr std::array hints{
    Hint{"shmget", ENOSPC,
         "not the disk: all segment ids or pages that the system allows are in use; see `ipcs -m`, and raise "
         "kernel.shmmni or kernel.shmall with sysctl"},
    Hint{"shmat", EACCES, "the segment's permissions do not let us read and write; see `ipcs -m -p`"},
    Hint{"shmctl IPC_RMID", 0, "the segment stays behind; see `ipcs -m`"},
    Hint{"shm", ENOMEM, "no memory left for 164 KiB; see `ulimit -v` and the limit of the control group"},
    Hint{"shm", ENOSYS, "this kernel or sandbox has no System V shared memory"},
    Hint{"shm", EPERM, "this sandbox does not allow System V shared memory"},
    Hint{"mmap", 0, "no memory left for one page; see `ulimit -v` and the limit of the control group"},
    Hint{"set_robust_list", 0, "this kernel or sandbox has no robust futexes, which the count is built on"},
    Hint{"timer_create", EAGAIN, "no timer left for this user; see `ulimit -i`"},
    Hint{"futex_waitv", 0, "no memory left to wait; see the limit of the control group"},
};

}  // namespace

Failure failed_call(int error, std::string_view call, std::string_view object) {
  const auto* const hint = std::ranges::find_if(
      hints, [&](const Hint& h) { return call.starts_with(h.call) && (h.error == error || h.error == 0); });
  return Failure{
      fmt::format("{}{}{}: {}", call, object.empty() ? "" : " ", object, std::generic_category().message(error)),
      hint == hints.end() ? "" : hint->text};
}

}  // namespace share_data
