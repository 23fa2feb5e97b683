// A process that has nothing to do with the program, to be mistaken for a copy of it.
#pragma once

#include <sys/types.h>

#include "table.h"

namespace share_data::test {

/// The TID of a process that has ended.
[[nodiscard]] Word tid_of_the_dead();

/// The next process that is created gets the pid after this one, unless another is created first. Needs root
/// (pid_namespaces(7)).
void set_last_pid(pid_t pid);

/// A child that sleeps, and that remembers it if anybody sends it a signal.
class Bystander {
 public:
  Bystander();
  /// Tries to get this very pid, which has to be free. pid() says whether it worked.
  explicit Bystander(pid_t wanted);
  Bystander(const Bystander&) = delete;
  Bystander& operator=(const Bystander&) = delete;
  Bystander(Bystander&&) = delete;
  Bystander& operator=(Bystander&&) = delete;
  ~Bystander();

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] Word tid() const { return static_cast<Word>(pid_); }

  /// Whether it runs and no signal has come.
  [[nodiscard]] bool is_unharmed() const;

  /// Kills it and takes it out of the process table.
  void end();

 private:
  pid_t pid_;
};

}  // namespace share_data::test
