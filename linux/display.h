// How a change becomes a line that says who came, left or was killed; and --status, which only looks.
#pragma once

#include "log.h"
#include "membership.h"
#include "table.h"

namespace share_data {

/// All of it throws std::system_error if standard output takes no more.
class Display {
 public:
  Display(const Membership& membership, const Log& log) : membership_(membership), log_(log) {}

  /// Prints a line about what has changed since the last one, if anything has, and lets more changes add up.
  void show(const View& now);

  void print(const Event& event) const;

 private:
  [[nodiscard]] Event difference(const View& now) const;

  const Membership& membership_;
  const Log& log_;
  int segment_ = -1;        ///< where the last look was
  std::uint32_t left_ = 0;  ///< how many copies had left by then
};

/// Prints the count, the live copies and, with --explain, the memory word by word. Throws Failure, and
/// std::system_error if standard output takes no more.
void print_status(key_t key, const Log& log);

}  // namespace share_data
