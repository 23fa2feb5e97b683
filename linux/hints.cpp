#include "hints.h"

#include <pwd.h>
#include <sys/shm.h>

#include <cerrno>
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "all_segments.h"

namespace share_data {
namespace {

struct FileClosed {
  void operator()(std::FILE* file) const { (void)std::fclose(file); }
};

/// Where the segment is somebody else's.
std::string hint_for_foreign(key_t key) {
  std::string hint = "the segment belongs to another user or program";
  for_each_segment(SHM_STAT_ANY, [&](int id, const shmid_ds& info) {
    if (info.shm_perm.__key != key) return;
    hint = fmt::format("segment {} has this key, {} bytes, and belongs to {}", id, info.shm_segsz,
                       user_name(info.shm_perm.uid));
  });
  return fmt::format("{}; {}", hint, hint_other_key);
}

/// What keeps all of the family from working.
std::string hint_for_any(int error) {
  switch (error) {
    case ENOSYS:
      return "this kernel or sandbox has no System V shared memory";
    case EPERM:
      return "this sandbox does not allow System V shared memory";
    default:
      return {};
  }
}

}  // namespace

std::string hint_for_shmget(int error, key_t key) {
  switch (error) {
    case EACCES:
    case EINVAL:  // it is smaller than what we asked for
      return hint_for_foreign(key);
    case ENOSPC:
      return "not the disk: all segment ids or pages that the system allows are in use; see `ipcs -m`, and raise "
             "kernel.shmmni or kernel.shmall with sysctl";
    case ENOMEM:
      return "the system has no memory left for 33 KiB";
    default:
      return hint_for_any(error);
  }
}

std::string hint_for_shmat(int error) {
  switch (error) {
    case EACCES:
      return "the segment's permissions do not let us read and write; see `ipcs -m -p`";
    case ENOMEM:
      return "no address space or memory left to attach 33 KiB";
    default:
      return hint_for_any(error);
  }
}

/// Read from the file itself: getpwuid(3) loads libraries at run time, which a static program has not brought
/// along.
std::string user_name(uid_t uid) {
  const std::unique_ptr<std::FILE, FileClosed> users{std::fopen("/etc/passwd", "re")};
  // NOLINTNEXTLINE(concurrency-mt-unsafe): on the way out, with nobody else about
  while (const passwd* user = users ? fgetpwent(users.get()) : nullptr) {
    if (user->pw_uid == uid) return user->pw_name;
  }
  return fmt::format("uid {}", uid);
}

}  // namespace share_data
