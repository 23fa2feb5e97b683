// The copies of the soak: each has a place, and what has been done to it is known.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <vector>

#include "history.h"
#include "member.h"
#include "plan.h"

namespace share_data::test {

class Crowd {
 public:
  /// `through` is a command that runs the program; empty for none.
  Crowd(key_t key, std::string through, History& history);

  /// Does what is to be done at a place.
  void act(const Action& action);

  /// Starts a copy at a place where there is none.
  Member& start(std::size_t place, const std::vector<std::string>& options, bool on_terminal = false);

  /// Asks without joining, and without waiting for the answer.
  void ask(bool json);

  /// The answer.
  [[nodiscard]] Answer answer(bool json) const;

  /// Has it end by this signal: from here on it has no place any more, and its end is awaited.
  void end(std::size_t place, int signal);

  /// The same for all of them, and for those whose output nobody reads.
  void end_all(int signal);
  void end_those_unheard();

  void stop(Member& member);
  void go_on(Member& member);

  /// Somebody has removed the segment that those who run now lived in.
  void segment_was_removed();

  /// Those who live now may find a segment that does not look like ours.
  void segment_was_hidden();

  /// One look at everybody: takes their lines, and out those that have ended. Throws Wrong where one ended as it
  /// should not.
  void look();

  /// The copy at a place; null where there is none.
  [[nodiscard]] Member* at(std::size_t place);

  /// Whether all that must end have ended, and all others have joined or are stopped.
  [[nodiscard]] bool is_at_rest();

  [[nodiscard]] std::vector<Member*> all();
  [[nodiscard]] std::vector<Member*> running();
  [[nodiscard]] std::vector<pid_t> pids();

  /// How many stopped copies are in the segment that the others are in, where they stay until they go on.
  [[nodiscard]] std::size_t stopped_among_the_others();

  /// Whether a copy was stopped so that nobody can tell which segment it is in.
  [[nodiscard]] bool may_be_anywhere(const Member& member) const;

  /// All that run are known to be in the newest segment.
  void all_are_together();

  /// What its copies have written to standard error lately, for people.
  [[nodiscard]] std::vector<std::string> notes();

 private:
  [[nodiscard]] Copy launch(const Launch& launch) const;
  [[nodiscard]] Copy question(bool json) const;
  void check_end(Member& member);
  void tell_lines(Member& member);
  void start_at(const Action& action);

  key_t key_;
  std::string through_;
  History& history_;
  std::map<std::size_t, Member> members_;
  std::list<Member> leaving_;
  std::list<Member> gone_;  ///< the latest, for the history
  std::uint32_t removals_ = 0;
};

}  // namespace share_data::test
