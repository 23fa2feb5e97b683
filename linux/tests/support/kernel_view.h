// What the kernel says of a segment: the witness that the program cannot influence.
#pragma once

#include <sys/shm.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "child.h"
#include "segment.h"
#include "table.h"

namespace share_data::test {

/// The state of the segment that has the key now, without attaching to it. Empty if no segment has it.
[[nodiscard]] inline std::optional<shmid_ds> segment_of(key_t key) {
  const int id = shmget(key, 0, 0);
  shmid_ds info{};
  if (id < 0 || shmctl(id, IPC_STAT, &info) != 0) return std::nullopt;
  return info;
}

/// How many processes are attached to the segment that has the key now.
[[nodiscard]] inline std::size_t attached_to(key_t key) { return segment_of(key).value_or(shmid_ds{}).shm_nattch; }

/// How many segments of ours had this key, have been removed and are still attached to. Anybody who looks through the
/// removed segments keeps one for a moment.
[[nodiscard]] inline std::size_t removed_segments(key_t key) { return Segment::open_removed(key, SHM_RDONLY).size(); }

/// What `ipcrm -M KEY` does. False if there is no segment.
inline bool remove_segment(key_t key) {
  const int id = shmget(key, 0, 0);
  return id >= 0 && shmctl(id, IPC_RMID, nullptr) == 0;
}

/// A key that no other process of the tests uses. If an earlier one had our pid, its segment is removed.
[[nodiscard]] inline key_t own_key() {
  const auto key = static_cast<key_t>(0x5e00'0000U | static_cast<std::uint32_t>(getpid()));
  remove_segment(key);
  return key;
}

/// A segment that the test has created or attached to itself.
class RawSegment {
 public:
  /// Creates a segment of `size` bytes under `key`; without `size`, attaches to the one that is there.
  explicit RawSegment(key_t key, std::size_t size = 0, int mode = 0600)
      : id_(check(shmget(key, size, size > 0 ? IPC_CREAT | IPC_EXCL | mode : 0), "shmget")),
        address_(shmat(id_, nullptr, 0)) {
    check(reinterpret_cast<std::intptr_t>(address_), "shmat");
  }
  RawSegment(RawSegment&&) = delete;
  ~RawSegment() { shmdt(address_); }

  [[nodiscard]] int id() const { return id_; }

  [[nodiscard]] std::span<std::byte> bytes() const {
    shmid_ds info{};
    check(shmctl(id_, IPC_STAT, &info), "shmctl IPC_STAT");
    return {static_cast<std::byte*>(address_), info.shm_segsz};
  }

  /// The bytes, seen as a table of ours.
  [[nodiscard]] Table& table() const { return *static_cast<Table*>(address_); }

 private:
  int id_;
  void* address_;
};

}  // namespace share_data::test
