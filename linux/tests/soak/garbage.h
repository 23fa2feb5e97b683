// Somebody who writes into the live segment what has no business there, and puts right afterwards only what
// nobody else could.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bystander.h"
#include "table.h"

namespace share_data::test {

class Garbage {
 public:
  explicit Garbage(key_t key) : key_(key) {}

  /// Writes the garbage of this number into the segment that has the key now, as another process would. `copies`
  /// are there to be mistaken for each other. Returns what it was; empty if there was no segment of ours.
  std::string write(std::uint32_t number, const std::vector<pid_t>& copies);

  /// Whether, since the last repair(), the segment may not have looked like one of ours to whoever came.
  [[nodiscard]] bool hid_the_segment() const { return hid_the_segment_; }

  /// Checks that no bystander has come to harm, and ends them: as long as one lives, a slot with its pid counts.
  /// Writes the header again: without it, a segment is not ours, and newcomers rightly refuse it.
  void repair();

  /// One more change. After the word that everybody sleeps on has been overwritten, somebody may sleep over one
  /// change; the next one wakes it.
  void wake_all() const;

  /// Has everybody look at all slots: garbage behind those that have ever been used is only seen when they are.
  void uncover() const;

  /// Whether the slots show so many copies and nothing else.
  [[nodiscard]] bool is_gone(std::size_t copies) const;

  /// There was garbage, and all have got over it.
  void forget() { segments_.clear(); }

 private:
  [[nodiscard]] Word new_bystander();
  std::string write_something(Table& table, std::uint32_t number, Word copy);
  std::string write_header_too(Table& table, std::uint32_t number);
  std::string write_slots(Table& table, std::uint32_t number, Word copy);
  std::string write_head(Table& table, std::uint32_t number, Word copy);

  key_t key_;
  std::vector<int> segments_;  ///< ids of those written to
  bool hid_the_segment_ = false;
  std::vector<std::unique_ptr<Bystander>> bystanders_;
  std::uint64_t magic_ = 0;
};

}  // namespace share_data::test
