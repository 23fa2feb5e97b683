// The System V shared memory segment that the table lies in: shmget(2), shmat(2), shmdt(2), shmctl(2).
#pragma once

#include <sys/shm.h>

#include <memory>

#include "log.h"
#include "table.h"

namespace share_data {

/// Whether somebody has called IPC_RMID: it has no key any more, and lives until the last process detaches.
[[nodiscard]] inline bool is_removed(const shmid_ds& info) { return (info.shm_perm.mode & SHM_DEST) != 0; }

/// An attached segment that holds a table of ours. Detaches when destroyed. All of it throws Failure; `flags` are those
/// of shmat(2): 0 or SHM_RDONLY.
class Segment {
 public:
  /// Takes over what shmat(2) has attached.
  Segment(int id, Table* table) : id_(id), table_(table, shmdt) {}

  /// Attaches to the segment of `key`. Empty if no segment has it. Memory that is not ours (of another size, with
  /// another magic, or, without SHM_RDONLY, of another user) is refused unchanged.
  [[nodiscard]] static std::optional<Segment> open(key_t key, int flags);

  /// The same for reading and writing; creates it if there is none.
  [[nodiscard]] static Segment open_or_create(key_t key, const Log& log);

  /// Attaches to all segments that had `key` until they were removed, and that processes are still attached to.
  [[nodiscard]] static std::vector<Segment> open_removed(key_t key, int flags);

  [[nodiscard]] Table& table() const { return *table_; }
  [[nodiscard]] int id() const { return id_; }

  /// What the kernel says of it; `shm_nattch` processes are attached, this one included.
  [[nodiscard]] shmid_ds state() const;

  /// Marks it for removal: its key is free at once, its memory when the last process detaches. False if somebody has
  /// done so already.
  [[nodiscard]] bool remove(const Log& log) const;

  /// Leaves it to the end of the process to detach: the kernel needs the owner words then. Do not use it again.
  void stay_attached() { (void)table_.release(); }

 private:
  int id_;
  std::unique_ptr<Table, int (*)(const void*)> table_;
};

/// The key of the calling user: each user has a count of their own.
[[nodiscard]] key_t default_key();

}  // namespace share_data
