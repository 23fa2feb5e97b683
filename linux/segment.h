// The System V shared memory segment that the table lies in: shmget(2), shmat(2), shmdt(2), shmctl(2).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "table.h"

namespace share_data {

/// What the kernel says of a segment.
struct SegmentState {
  bool removed = false;        ///< IPC_RMID has been called: it lives until the last copy detaches, but has no key
  std::uint64_t attached = 0;  ///< how many processes have it attached, this one included
};

enum class Access { read_only, read_write };

/// An attached segment that holds a table of ours. Detaches when destroyed. All of it throws Failure.
class Segment {
 public:
  /// Attaches to the segment of `key`, and creates it where there is none.
  /// Memory that is not ours (of another size, with another magic, of another namespace) is refused
  /// unchanged.
  [[nodiscard]] static Segment open_or_create(key_t key);

  /// Attaches to the segment of `key`, if there is one, only to read it. Memory that is not ours is refused.
  [[nodiscard]] static std::optional<Segment> open_existing(key_t key);

  /// Attaches to all segments of ours that had `key` until somebody removed them, as `ipcrm` does, and that
  /// copies still live in.
  [[nodiscard]] static std::vector<Segment> open_removed(key_t key, Access access);

  Segment(Segment&& other) noexcept;
  Segment& operator=(Segment&& other) noexcept;
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;
  ~Segment();

  [[nodiscard]] Table& table() const { return *table_; }
  [[nodiscard]] int id() const { return id_; }
  [[nodiscard]] bool created() const { return created_; }  ///< by this very object

  [[nodiscard]] SegmentState state() const;

  /// Marks it for removal: its key is free at once, its memory when the last copy detaches.
  void remove() const;

  /// `segment 32769, key 0x5d0003e8, 33 KiB, attached at 0x7f2a5c1e0000`
  [[nodiscard]] std::string describe(key_t key) const;

 private:
  Segment(int id, Table* table) : id_(id), table_(table) {}

  /// Empty where shmat(2) failed; errno says why.
  static std::optional<Segment> attach(int id, Access access);

  /// Empty where the segment vanished before we got hold of it.
  static std::optional<Segment> attach_checked(int id, key_t key, Access access);

  /// Writes what the memory is into it, where nobody has yet.
  void take_possession(key_t key);

  int id_;
  Table* table_;
  bool created_ = false;
};

/// The key of the calling user: each user has a count of their own.
[[nodiscard]] key_t default_key();

}  // namespace share_data
