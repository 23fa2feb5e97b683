// How a copy joins the others and leaves them, even if others join, leave or are killed meanwhile.
#pragma once

#include <cstdint>
#include <optional>

#include "identity.h"
#include "log.h"
#include "table.h"
#include "wait.h"

namespace share_data {

/// A place among the running copies, from join() to the end of the process. One object for each process.
///
/// To join:
///   1. let everybody wait for the end of this process
///   2. claim a slot: 0 -> identity|notifying. From this instruction on the copy is counted. Under --max it claims the
///      slot with |joining, which is not counted, counts the others, and withdraws if there are too many
///   3. notify all copies, and only then say so: -> identity
/// To leave:
///   1. write the identity into `left`: I leave normally
///   2. identity -> identity|leaving: from this instruction on the copy is not counted
///   3. notify all copies
///   4. write the last line, and end. Those who watch the process see its end, free the slot and notify all copies,
///      exactly as after TerminateProcess
class Membership {
 public:
  /// Throws Failure.
  Membership(Table& table, const Log& log);
  ~Membership();
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;

  /// Joins, under --max only if fewer than `max` copies are live. False if a request to leave came first. Throws
  /// Failure.
  [[nodiscard]] bool join(std::optional<std::uint32_t> max);

  /// The table as it is now, after doing what every copy owes the others: it frees the slots of those who have ended
  /// and notifies all copies. Throws Failure.
  View look();

  /// Sleeps until it is time for the next look, or until `line` is signalled, which may be null. Throws Failure.
  void wait_for_change(HANDLE line) { watch_.wait(line); }

  /// Leaves, once, and returns what to say last. What is left to do is to end the process. Throws Failure.
  Event leave();

  [[nodiscard]] const Table& table() const { return table_; }
  [[nodiscard]] std::uint32_t pid() const { return pid_of(identity_); }

 private:
  void claim(Mark mark);
  [[nodiscard]] bool claim_below(std::uint32_t max);
  void get_ready();

  const Log& log_;
  Table& table_;
  Identity identity_;
  Watch watch_;
  std::uint32_t slot_ = 0;
  bool has_joined_ = false;  ///< `slot_` is ours, and counted in `plain`
  bool has_left_ = false;
};

}  // namespace share_data
