// A process that has nothing to do with the program, to be mistaken for a copy of it.
#pragma once

#include <sys/types.h>

#include "identity.h"

namespace share_data::test {

/// The identity of a process that is there, read from /proc in a way of our own.
[[nodiscard]] Identity identity_of(pid_t pid);

/// The identity of a process that is no more.
[[nodiscard]] Identity identity_of_the_dead();

/// A child that sleeps, and that remembers it if anybody sends it a signal.
class Bystander {
 public:
  Bystander();
  /// Tries to get this very pid, which has to be free. Look at pid() for whether it worked.
  explicit Bystander(pid_t wanted);
  Bystander(const Bystander&) = delete;
  Bystander& operator=(const Bystander&) = delete;
  Bystander(Bystander&&) = delete;
  Bystander& operator=(Bystander&&) = delete;
  ~Bystander();

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] Identity identity() const { return identity_; }

  /// Whether it runs and no signal has come.
  [[nodiscard]] bool is_unharmed() const;

  /// Kills it. It stays a zombie until bury().
  void destroy() const;

  /// Kills it and takes it out of the process table.
  void bury();

 private:
  pid_t pid_;
  Identity identity_;
};

}  // namespace share_data::test
