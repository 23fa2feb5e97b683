// How a copy joins the others and leaves them, whatever the others do meanwhile, being killed included.
#pragma once

#include <cstdint>
#include <exception>
#include <optional>

#include "identity.h"
#include "table.h"
#include "watch.h"

namespace share_data {

/// Thrown where `--max` copies are live already.
struct Refused : std::exception {
  explicit Refused(std::uint32_t count) : live(count) {}
  std::uint32_t live;
};

/// Thrown where a request to stop came before the copy had joined.
struct Interrupted : std::exception {};

/// What a copy leaves behind.
struct Remains {
  std::uint32_t live = 0;  ///< copies that go on
  std::int32_t plain = 0;  ///< the article's counter
};

/// A place among the running copies, from the constructor to leave() or the destructor.
///
/// To join: claim a slot; bury who is dead; count up the article's counter; tell everybody.
/// To leave: count down the article's counter; say in the slot that we leave; tell everybody; free the slot.
/// A joiner writes its slot and then reads the others; whoever changes something writes it and then reads who
/// has to be told. All atomics are sequentially consistent, so at least one of the two sees the other.
class Membership {
 public:
  /// Joins; with `max`, only if fewer than so many are live. The copy must have its bell by now. Throws
  /// Failure, Refused or Interrupted, with nothing left behind.
  Membership(Table& table, Identity identity, std::optional<std::uint32_t> max);
  ~Membership();
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;
  Membership(Membership&&) = delete;
  Membership& operator=(Membership&&) = delete;

  /// Looks at the table until all that it shows is true as far as `watch` can tell: the dead are buried,
  /// everybody has been told of them, and our own slot is there, whatever somebody has written over it.
  Slots look(Watch& watch);

  /// Leaves, once.
  Remains leave();

  [[nodiscard]] Identity identity() const { return identity_; }
  [[nodiscard]] const Table& table() const { return table_; }

 private:
  void join(std::optional<std::uint32_t> max);
  void claim_slot();
  void release_slot();
  void bury_dead();
  void bury(const std::vector<Identity>& dead);
  bool keep_place(const Slots& slots);

  Table& table_;
  Identity identity_;
  bool joined_ = false;
};

}  // namespace share_data
