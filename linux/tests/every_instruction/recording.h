// What a process does between two moments, and where in it there is a difference to be killed.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <vector>

#include "tracee.h"

namespace share_data::test {

/// An instruction, before it is run.
struct Point {
  std::size_t epoch = 0;  ///< how many changes that others can see came before it
  Address address = 0;
};

/// All that a process did, one instruction after the other.
///
/// A process that is killed takes with it all that nobody else can see. So what it leaves behind depends only on
/// the epoch: on how many of its instructions had changed shared memory, and how many of its system calls did more
/// than ask. For each instruction there is one point for each epoch that it was run in; that leaves out rounds of
/// loops that look the same to everybody else.
class Recording {
 public:
  /// Steps on from the instruction that it is about to run, to the system call `last_call`.
  Recording(Tracee& tracee, pid_t pid, long last_call);

  /// Has another process do the same again up to `point`. False if this one took another way, and came to the
  /// end without it.
  bool replay(Tracee& tracee, const Point& point) const;

  [[nodiscard]] const std::vector<Point>& points() const { return points_; }

 private:
  struct Change {
    Address address;
    int passes;  ///< how many times the instruction was run in this epoch until it changed something
  };

  std::vector<Point> points_;
  std::vector<Change> changes_;
  Address end_ = 0;
  long last_call_;
};

}  // namespace share_data::test
