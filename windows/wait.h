// How a copy sleeps until there is something to do, and how it is told. It polls nothing, so it costs nothing.
#pragma once

#include <windows.h>

#include <cstdint>
#include <string>
#include <vector>

#include "identity.h"
#include "log.h"
#include "table.h"
#include "win32.h"

namespace share_data {

/// Tells everybody that something has changed, in four system calls, however many they are: sets the event of the
/// current generation, and moves on to the next one.
void tell(Table& table, const Log& log);

/// A generation: what lies between two changes of the table, with a manual-reset event that is set when it ends. The
/// event's name holds the id of the table and the value of `changes`, so that everybody finds it. Those who wait for
/// an event that is set and never reset cannot miss it, and the system removes it with its last handle.
///
///   To tell:  g = changes; open or create the event of g; set it; changes: g -> g + 1; only then close it
///   To wait:  g = changes; open or create the event of g; start over if `changes` is no longer g; look at the table;
///             wait. If the event wakes us: changes: g -> g + 1, for who set it may have been stopped before that
///
/// So a copy that opens the event too late to see it set finds that `changes` has moved on.
class Generation {
 public:
  /// Opens the event of the current generation of `table`.
  explicit Generation(Table& table);

  /// Sets the event and moves on to the next generation.
  void end(const Log& log) const;

  /// Waits for the end of this generation, a request to leave, or one of `others`, which may be null; at most
  /// `patience_ms`. Which of them it was; null if it was none. Throws Failure.
  [[nodiscard]] HANDLE wait(std::vector<HANDLE> others, DWORD patience_ms) const;

  [[nodiscard]] std::uint32_t number() const { return number_; }
  [[nodiscard]] HANDLE event() const { return event_.get(); }

 private:
  void move_on() const;

  Table* table_;
  std::uint64_t id_ = 0;
  std::uint32_t number_ = 0;
  Handle event_;  ///< empty if somebody else has taken its name
};

/// What one copy waits for. Nobody tells the others of a process that was killed: its handle does. So each copy
/// watches the nearest 8 in the slots below its own, around the ring, and those that have just joined, whom nobody else
/// may have seen. A copy that sees one end tells everybody.
class Watch {
 public:
  Watch(Table& table, const Log& log) : table_(table), log_(log), generation_(table) {}

  /// To be called before a look at the table: whatever changes from now on ends the wait.
  void begin_look() { generation_ = Generation{table_}; }

  /// Watches the copies in `view` that the copy in slot `own` has to watch, and no others. Returns those that have
  /// ended. The caller tells everybody, even if they are in no slot any more: the copy that took them out may have been
  /// stopped before it told.
  [[nodiscard]] std::vector<Identity> follow(const View& view, std::uint32_t own);

  /// Sleeps until there is a change, somebody who is watched ends, a request to leave is made, or `line` is signalled,
  /// which may be null. Throws Failure.
  void wait(HANDLE line);

 private:
  struct Watched {
    Identity identity;
    Handle process;
  };

  [[nodiscard]] std::vector<HANDLE> processes() const;
  [[nodiscard]] std::vector<Identity> those_that_ended() const;
  [[nodiscard]] std::string awaited() const;
  [[nodiscard]] std::string reason_for(HANDLE woken) const;

  Table& table_;
  const Log& log_;
  Generation generation_;
  std::vector<Watched> watched_;
  bool all_open_ = true;  ///< we may wait for everybody who is to be watched
  bool said_so_ = false;  ///< that we look again and again, because of something that we may not open
};

}  // namespace share_data
