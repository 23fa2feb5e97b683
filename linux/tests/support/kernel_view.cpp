#include "kernel_view.h"

#include <sys/ipc.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>

#include "segment.h"

namespace share_data::test {
namespace {

int check(int result, const char* call) {
  if (result < 0) throw std::system_error(errno, std::system_category(), call);
  return result;
}

}  // namespace

std::optional<shmid_ds> segment_of(key_t key) {
  const int id = shmget(key, 0, 0);
  shmid_ds info{};
  if (id < 0 || shmctl(id, IPC_STAT, &info) != 0) return std::nullopt;
  return info;
}

std::size_t attached_to(key_t key) {
  const auto info = segment_of(key);
  return info ? info->shm_nattch : 0;
}

std::size_t removed_segments(key_t key) { return Segment::open_removed(key, Access::read_only).size(); }

std::vector<Attachment> attachments_of(pid_t pid) {
  std::ifstream maps{"/proc/" + std::to_string(pid) + "/maps"};
  std::vector<Attachment> found;
  for (std::string line; std::getline(maps, line);) {
    if (line.find(" /SYSV") == std::string::npos) continue;
    std::istringstream fields{line};
    std::string skipped;
    Attachment attachment{};
    fields >> std::hex >> attachment.address;
    fields >> skipped >> skipped >> skipped >> skipped >> std::dec >> attachment.id;  // the inode: ipc/shm.c says so
    found.push_back(attachment);
  }
  return found;
}

bool remove_segment(key_t key) {
  const int id = shmget(key, 0, 0);
  return id >= 0 && shmctl(id, IPC_RMID, nullptr) == 0;
}

RawSegment::RawSegment(int id, std::nullptr_t) : id_(id) {
  void* const address = shmat(id, nullptr, 0);
  // NOLINTNEXTLINE(performance-no-int-to-ptr): shmat(2) returns (void *) -1 on error
  check(address == reinterpret_cast<void*>(-1) ? -1 : 0, "shmat");
  bytes_ = {static_cast<std::byte*>(address), state().shm_segsz};
}

RawSegment::RawSegment(key_t key, std::size_t size, int mode)
    : RawSegment(check(shmget(key, size, IPC_CREAT | IPC_EXCL | mode), "shmget"), nullptr) {}

RawSegment::RawSegment(key_t key) : RawSegment(check(shmget(key, 0, 0), "shmget"), nullptr) {}

RawSegment::~RawSegment() { shmdt(bytes_.data()); }

shmid_ds RawSegment::state() const {
  shmid_ds info{};
  check(shmctl(id_, IPC_STAT, &info), "shmctl IPC_STAT");
  return info;
}

}  // namespace share_data::test
