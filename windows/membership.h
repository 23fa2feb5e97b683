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
///   2. claim a slot: 0 -> identity|joining. From this instruction on the copy is counted. Under --max it claims the
///      slot as a candidate, who is not counted, counts the others, and withdraws if there are too many
///   3. tell everybody, and only then say so: -> identity
/// To leave:
///   1. identity -> identity|leaving: from this instruction on the copy is not counted
///   2. end. Those who watch it see that, free the slot and tell everybody, exactly as after TerminateProcess
class Membership {
 public:
  Membership(Table& table, const Log& log);
  ~Membership();
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;
  Membership(Membership&&) = delete;
  Membership& operator=(Membership&&) = delete;

  /// Joins, under --max only if fewer than `max` copies are live. Throws Failure.
  void join(std::optional<std::uint32_t> max);

  /// The table as it is now, after doing what every copy owes the others: it takes out those who have ended and tells
  /// everybody of them. Throws Failure.
  View look();

  /// Sleeps until it is time for the next look, or until `line` is signalled, which may be null. Throws Failure.
  void wait_for_change(HANDLE line) { watch_.wait(line); }

  /// Leaves, once, and returns what to say last. What is left to do is to end the process.
  Event leave();

  [[nodiscard]] const Table& table() const { return table_; }
  [[nodiscard]] std::uint32_t pid() const { return pid_of(identity_); }

 private:
  void claim(Mark mark);
  void claim_below(std::uint32_t max);
  void get_ready();
  [[nodiscard]] bool repair_own_slot(const View& view);

  const Log& log_;
  Table& table_;
  Identity identity_;
  Watch watch_;
  std::uint32_t slot_ = 0;
  bool has_joined_ = false;  ///< `slot_` is ours, and counted in `plain`
  bool has_left_ = false;
};

}  // namespace share_data
