// What the kernel says of a segment: the witness that the program cannot influence.
#pragma once

#include <sys/shm.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace share_data::test {

/// The state of the segment that has the key now, without attaching to it. Empty if no segment has it.
[[nodiscard]] std::optional<shmid_ds> segment_of(key_t key);

/// How many processes are attached to the segment that has the key now.
[[nodiscard]] std::size_t attached_to(key_t key);

/// How many segments of ours had this key, have been removed and are still attached to. Anybody who looks through the
/// removed segments keeps one for a moment.
[[nodiscard]] std::size_t removed_segments(key_t key);

/// A System V segment that a process has attached, as /proc/PID/maps says.
struct Attachment {
  std::uint64_t address;
  int id;
};
[[nodiscard]] std::vector<Attachment> attachments_of(pid_t pid);

/// What `ipcrm -M KEY` does. False if there is no segment.
bool remove_segment(key_t key);

/// A segment that the test has created or attached to itself.
class RawSegment {
 public:
  /// Creates a segment of `size` bytes under `key`.
  RawSegment(key_t key, std::size_t size, int mode = 0600);

  /// Attaches to the one that is there.
  explicit RawSegment(key_t key);

  RawSegment(const RawSegment&) = delete;
  RawSegment& operator=(const RawSegment&) = delete;
  RawSegment(RawSegment&&) = delete;
  RawSegment& operator=(RawSegment&&) = delete;
  ~RawSegment();

  [[nodiscard]] int id() const { return id_; }
  [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }
  [[nodiscard]] shmid_ds state() const;

  /// The bytes, seen as a table of ours.
  template <typename Table>
  [[nodiscard]] Table& as() const {
    return *reinterpret_cast<Table*>(bytes_.data());
  }

 private:
  explicit RawSegment(int id, std::nullptr_t);

  int id_;
  std::span<std::byte> bytes_;
};

}  // namespace share_data::test
