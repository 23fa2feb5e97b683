#include "kernel_view.h"

#include <fstream>
#include <sstream>

#include "segment.h"
#include "system_calls.h"

namespace share_data::test {

std::optional<shmid_ds> segment_of(key_t key) {
  const int id = shmget(key, 0, 0);
  shmid_ds info{};
  if (id < 0 || shmctl(id, IPC_STAT, &info) != 0) return std::nullopt;
  return info;
}

std::size_t attached_to(key_t key) { return segment_of(key).value_or(shmid_ds{}).shm_nattch; }

std::size_t removed_segments(key_t key) { return Segment::open_removed(key, Access::read_only).size(); }

std::map<std::uint64_t, int> attachments_of(pid_t pid) {
  std::ifstream maps{"/proc/" + std::to_string(pid) + "/maps"};
  std::map<std::uint64_t, int> found;
  for (std::string line; std::getline(maps, line);) {
    if (line.find(" /SYSV") == std::string::npos) continue;
    std::istringstream fields{line};
    std::uint64_t address = 0;
    std::string skipped;
    fields >> std::hex >> address >> skipped >> skipped >> skipped >> skipped;
    fields >> std::dec >> found[address];  // the inode is the id: ipc/shm.c says so
  }
  return found;
}

bool remove_segment(key_t key) {
  const int id = shmget(key, 0, 0);
  return id >= 0 && shmctl(id, IPC_RMID, nullptr) == 0;
}

key_t own_key() {
  const auto key = static_cast<key_t>(0x5e00'0000U | static_cast<std::uint32_t>(getpid()));
  remove_segment(key);
  return key;
}

RawSegment::RawSegment(key_t key, std::size_t size, int mode)
    : id_(check(shmget(key, size, size > 0 ? IPC_CREAT | IPC_EXCL | mode : 0), "shmget")) {
  void* const address = shmat(id_, nullptr, 0);
  check(reinterpret_cast<std::intptr_t>(address), "shmat");
  bytes_ = {static_cast<std::byte*>(address), state().shm_segsz};
}

RawSegment::~RawSegment() { shmdt(bytes_.data()); }

shmid_ds RawSegment::state() const {
  shmid_ds info{};
  check(shmctl(id_, IPC_STAT, &info), "shmctl IPC_STAT");
  return info;
}

}  // namespace share_data::test
