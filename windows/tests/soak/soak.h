// Copies of the program in random trouble, and what must be true whenever it is quiet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "copy.h"
#include "identity.h"

namespace share_data::test {

/// What the soak is after: something that must never be. Says what.
struct Wrong : std::runtime_error {
  using runtime_error::runtime_error;
};

/// All of it throws Wrong if the program misbehaves. The seed alone decides what happens: a deed at a free place
/// starts a copy there.
class Soak {
 public:
  /// `mapping` is what the copies share: a mapping of this name, or the section if it is empty.
  Soak(std::uint32_t seed, std::wstring mapping);

  /// Some random deeds, and the truth after them.
  void run_round();

  /// The last deeds with their times, and what the copies have written.
  [[nodiscard]] std::string history() const;

 private:
  struct Member {
    std::unique_ptr<Copy> copy;
    bool timed = false;       ///< --for: leaves by itself
    bool limited = false;     ///< --max: may be refused
    bool terminated = false;  ///< by us
    bool in_console = false;  ///< gets Ctrl+C
    bool told = false;        ///< got Ctrl+C
    bool suspended = false;
  };

  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(random_() % limit); }
  void note(const std::string& text);

  void do_something(bool with_garbage);
  void do_at(std::size_t place, std::uint32_t dice, std::uint32_t number);
  Member& start(std::size_t place, const std::vector<std::wstring>& options, bool in_console = false);
  void end(std::size_t place);
  void suspend_or_resume(Member& member);
  void press_ctrl_c();
  void write_garbage(std::uint32_t number);
  [[nodiscard]] Identity somebody() const;
  void write(std::size_t offset, const std::vector<std::uint64_t>& words);

  void rest(bool healing);
  void wait_for_rest();
  [[nodiscard]] bool is_at_rest();
  void check_end(const Member& member) const;
  void expect_truth();
  void expect_status_tells(std::size_t count);
  void start_many_limited(std::uint32_t number);

  std::mt19937 random_;
  std::vector<std::wstring> options_;
  std::wstring mapping_;
  Folder folder_;
  PseudoConsole console_;
  std::map<std::size_t, Member> members_;
  std::list<Member> leaving_;
  std::list<Member> gone_;
  std::list<std::string> deeds_;
};

}  // namespace share_data::test
