// What the kernel says of a segment: the witness that the program cannot influence.
#pragma once

#include <sys/shm.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>

#include "table.h"

namespace share_data::test {

/// The state of the segment that has the key now, without attaching to it. Empty if no segment has it.
[[nodiscard]] std::optional<shmid_ds> segment_of(key_t key);

/// How many processes are attached to the segment that has the key now.
[[nodiscard]] std::size_t attached_to(key_t key);

/// How many segments of ours had this key, have been removed and are still attached to. Anybody who looks through the
/// removed segments keeps one for a moment.
[[nodiscard]] std::size_t removed_segments(key_t key);

/// The ids of the System V segments that a process has attached, by their addresses, as /proc/PID/maps says.
[[nodiscard]] std::map<std::uint64_t, int> attachments_of(pid_t pid);

/// What `ipcrm -M KEY` does. False if there is no segment.
bool remove_segment(key_t key);

/// A key that no other process of the tests uses. If an earlier one had our pid, its segment is removed.
[[nodiscard]] key_t own_key();

/// A segment that the test has created or attached to itself.
class RawSegment {
 public:
  /// Creates a segment of `size` bytes under `key`; without `size`, attaches to the one that is there.
  explicit RawSegment(key_t key, std::size_t size = 0, int mode = 0600);
  RawSegment(RawSegment&&) = delete;
  ~RawSegment();

  [[nodiscard]] int id() const { return id_; }
  [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }
  [[nodiscard]] shmid_ds state() const;

  /// The bytes, seen as a table of ours.
  [[nodiscard]] Table& table() const { return *reinterpret_cast<Table*>(bytes_.data()); }

 private:
  int id_;
  std::span<std::byte> bytes_;
};

}  // namespace share_data::test
