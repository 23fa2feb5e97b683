// Somebody who writes garbage into the live segment, and puts right afterwards only what nobody else could.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <list>
#include <set>
#include <string>
#include <vector>

#include "child.h"

namespace share_data::test {

class Vandal {
 public:
  explicit Vandal(key_t key) : key_(key) {}

  /// Writes the garbage of this number into the segment that has the key now, as another process would. `copies`
  /// are there to be mistaken for each other. Returns what it was; empty if there was no segment of ours.
  std::string write(std::uint32_t number, const std::vector<pid_t>& copies);

  /// Whether, since the last repair(), the segment may not have looked like one of ours to a newcomer.
  [[nodiscard]] bool hid_the_segment() const { return hid_the_segment_; }

  /// Ends the bystanders: as long as one lives, a slot with its pid counts. Writes the header again: without it, a
  /// segment is not ours, and newcomers rightly refuse it. From now on everybody looks at all slots, and at garbage
  /// behind those that have ever been used. Throws Wrong if a bystander has come to harm.
  void repair();

  /// One more change. After the word that everybody sleeps on has been overwritten, somebody may sleep over one
  /// change; the next one wakes it.
  void wake_all() const;

  /// Whether the slots show so many copies and nothing else.
  [[nodiscard]] bool is_marked(std::size_t copies) const;

  /// There was garbage, and all have got over it.
  void forget() { segments_.clear(); }

 private:
  key_t key_;
  std::set<int> segments_;  ///< ids of those written to
  bool hid_the_segment_ = false;
  std::list<Bystander> bystanders_;
};

}  // namespace share_data::test
