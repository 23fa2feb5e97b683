// Rounds of chaos, and the truth at the quiet point after each.
#pragma once

#include "crowd.h"
#include "vandal.h"
#include "waiting.h"

namespace share_data::test {

struct SoakOptions {
  double seconds = 60;
  std::uint32_t seed = std::random_device{}();
  std::size_t places = static_cast<std::size_t>(scaled(24));
  std::int64_t patience_seconds = std::chrono::seconds{patience}.count();
  std::string through = {};  ///< a command that runs the program; empty for none
};

/// All of it throws Wrong if the program does not do what it should.
class Soak {
 public:
  Soak(const SoakOptions& options, History& history);
  ~Soak();
  Soak(Soak&&) = delete;

  /// Does what is to be done, comes to rest and compares what the copies show with what is true.
  void run(const Round& round);

  /// Everybody leaves, and nothing is left.
  void finish();

  /// What the copies that run have written to standard error, for people.
  [[nodiscard]] std::string notes() { return crowd_.notes(); }

 private:
  void act(const Action& action);
  void remove_the_segment();
  void write_garbage(std::uint32_t number);

  void come_to_rest(Round::Kind kind);
  void wait_until(const std::function<bool()>& condition, const char* else_wrong) const;
  void wait_for_rest();
  void bring_together();
  void expect_garbage_goes_away();
  void expect_truth();
  [[nodiscard]] bool truth_is_shown(std::size_t count);
  void expect_status_tells(std::size_t count);
  void expect_nothing_is_left();

  void everybody_leaves();
  void everybody_is_killed();
  void start_many_limited(std::uint32_t number);
  void stop_for_a_while(std::size_t place, std::chrono::microseconds moment);

  SoakOptions options_;
  key_t key_;
  History& history_;
  Crowd crowd_;
  Vandal vandal_;
  std::set<int> segments_;  ///< ids of all that have been seen
};

}  // namespace share_data::test
