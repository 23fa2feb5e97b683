// How a copy sleeps until there is something to do, and how it is notified. It polls only if it may not watch
// all others, so it costs nothing.
#pragma once

#include <windows.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "identity.h"
#include "log.h"
#include "table.h"
#include "win32.h"

namespace share_data {

/// The next change of the table, as something to wait for: a manual-reset event, one for each value of `changes`. Its
/// name holds the id of the table and the value, so everybody finds it. Those who wait for an event that is set and
/// never reset cannot miss it, and the system removes it with its last handle.
///
///   To notify:  seen = changes; open or create the event of seen; set it; changes: seen -> seen + 1; then close it
///   To wait:    seen = changes; open or create the event of seen; start over if `changes` is no longer seen; look at
///               the table; wait. If the event wakes us: changes: seen -> seen + 1, for the copy that set it may have
///               been stopped before that
///
/// First set, then count: a copy that opens the event too late to see it set finds that `changes` has gone on.
class NextChange {
 public:
  /// Opens the event of the current value of `changes`. Throws Failure.
  explicit NextChange(Table& table);

  /// Notifies all copies: wakes those that wait for this change. A constant number of system calls, however many they
  /// are. Throws Failure, and then has changed nothing.
  void notify(const Log& log) const;

  /// Waits for this change, a request to leave, or one of `others`, which may be null; at most `patience_ms`. Which of
  /// them it was; null if it was none. Throws Failure.
  [[nodiscard]] HANDLE wait(std::vector<HANDLE> others, DWORD patience_ms) const;

  [[nodiscard]] std::uint32_t changes() const { return changes_; }
  [[nodiscard]] HANDLE event() const { return event_.get(); }

 private:
  [[nodiscard]] bool count() const;
  Table* table_;
  std::uint64_t id_ = 0;
  std::uint32_t changes_ = 0;
  Handle event_;  ///< empty if an object of another kind has its name, so that nobody can wait for it
};

/// Notifies all copies that something has changed. Throws Failure.
void notify(Table& table, const Log& log);

/// What one copy waits for. A copy that was killed notifies nobody: the handle of its process does. So each copy
/// watches the nearest 8 in the slots below its own that do not leave, around the ring, and those that have just
/// joined, whom nobody else may have seen. A copy that sees one end notifies all.
class Watch {
 public:
  Watch(Table& table, const Log& log) : table_(table), log_(log), next_(table) {}

  /// To be called before a look at the table: whatever changes from now on ends the wait. Throws Failure.
  void begin_look() { next_ = NextChange{table_}; }

  /// Watches the copies in `view` that the copy in slot `own` has to watch, and no others. Returns those that have
  /// ended. The caller notifies all copies, even if they are in no slot any more: the copy that took them out may have
  /// been stopped before it notified.
  [[nodiscard]] std::vector<Identity> follow(const View& view, std::uint32_t own);

  /// Sleeps until there is a change, somebody who is watched ends, a request to leave is made, or `line` is signalled,
  /// which may be null. Throws Failure.
  void wait(HANDLE line);

 private:
  [[nodiscard]] std::string awaited() const;
  [[nodiscard]] std::string reason_for(HANDLE woken) const;

  Table& table_;
  const Log& log_;
  NextChange next_;
  std::map<Identity, Handle> watched_;
  bool all_open_ = true;  ///< we may wait for everybody who is to be watched
  bool said_so_ = false;  ///< that we look again and again, because of something that we may not open
};

}  // namespace share_data
