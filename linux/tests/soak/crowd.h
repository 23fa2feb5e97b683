// The copies of the soak: each has a place, and what has been done to it is known.
#pragma once

#include <list>
#include <stdexcept>

#include "copy.h"
#include "history.h"
#include "plan.h"

namespace share_data::test {

/// What the soak is after: something that must never be. Says what.
struct Wrong : std::runtime_error {
  using runtime_error::runtime_error;
};

struct Member {
  Copy copy;
  std::size_t place = 0;
  std::string name = {};       ///< for the history
  bool limited = false;        ///< started with --max: may be refused
  bool timed = false;          ///< started with --for: leaves by itself
  bool stopped = false;        ///< by SIGSTOP
  bool unheard = false;        ///< nobody reads its output any more: leaves with its next line
  bool damaged = false;        ///< lived while the segment did not look like ours: may be refused
  bool question = false;       ///< --status: answers and ends
  int told = 0;                ///< the signal that was to end it: from then on it has no place any more
  std::uint32_t segment = 0;   ///< after how many removals it was seen in a segment
  bool sure = false;           ///< if it is stopped: it is still in that one
  std::size_t lines_told = 0;  ///< how many of its lines are in the history

  [[nodiscard]] bool joined() { return !copy.lines().empty(); }
  [[nodiscard]] bool must_end() const { return told != 0 || question || timed || unheard; }

  /// Whether a copy to which this has happened may end with this exit code (or minus signal).
  [[nodiscard]] bool may_end_with(int code);
};

class Crowd {
 public:
  /// `through` is a command that runs the program; empty for none.
  Crowd(key_t key, std::string through, History& history);

  /// Does what is to be done at a place.
  void act(const Action& action);

  /// Starts a copy at a free place.
  Member& start(std::size_t place, const std::vector<std::string>& options, bool on_terminal = false);

  /// Asks without joining, and without waiting for the answer.
  void ask(bool json);

  /// The answer.
  [[nodiscard]] Answer answer(bool json) const { return question(json).answer(); }

  /// Has it end by this signal, or all of them.
  void end(Member& member, int signal);
  void end_all(int signal);

  void stop(Member& member);
  void go_on(Member& member);

  /// Somebody has removed the segment that those who run now lived in.
  void segment_was_removed() { ++removals_; }

  /// Those who live now may find a segment that does not look like ours.
  void segment_was_hidden();

  /// One look at everybody: takes their lines, and out those that have ended. Throws Wrong if one ended as it
  /// should not.
  void look();

  /// The copy at a place, or null.
  [[nodiscard]] Member* at(std::size_t place);

  /// Whether all that must end have ended, and all others have joined or are stopped.
  [[nodiscard]] bool is_at_rest();

  /// Those that have a place, and those of them that are not stopped.
  [[nodiscard]] std::vector<Member*> all();
  [[nodiscard]] std::vector<Member*> running();

  /// How many stopped copies are in the segment that the others are in, where they stay until they go on.
  [[nodiscard]] std::size_t stopped_among_the_others();

  /// All that run are known to be in the newest segment.
  void all_are_together();

  /// What those that have not ended have written to standard error.
  [[nodiscard]] std::string notes();

 private:
  [[nodiscard]] Copy launch(Launch launch) const;
  [[nodiscard]] Copy question(bool json) const;
  void take_lines(Member& member);
  void check_end(Member& member);
  void start_at(const Action& action);

  key_t key_;
  std::string through_;
  History& history_;
  std::list<Member> members_;
  std::uint32_t removals_ = 0;
};

}  // namespace share_data::test
