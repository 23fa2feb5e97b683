// Any mix of starts, exits, kills, stops and continues; the truth is compared whenever it is quiet.
#include <algorithm>
#include <chrono>
#include <functional>
#include <random>

#include "copies_test.h"
#include "seed.h"

namespace share_data::test {
namespace {

class Random : public CopiesTest {
 protected:
  struct Member {
    Copy copy;
    bool stopped = false;
  };

  int below(std::size_t limit) {
    return static_cast<int>(std::uniform_int_distribution<std::size_t>{0, limit - 1}(random_));
  }

  void step() {
    constexpr std::size_t most = 40;
    const int dice = below(100);
    if (members_.empty() || (dice < 40 && members_.size() < most)) {
      members_.push_back({start()});
      return;
    }
    const auto chosen = members_.begin() + below(members_.size());
    if (dice < 60) {
      leave(*chosen);
    } else if (dice < 75) {
      chosen->copy.signal(SIGKILL);  // works on a stopped one, too
    } else {
      chosen->stopped = !chosen->stopped;
      chosen->copy.signal(chosen->stopped ? SIGSTOP : SIGCONT);
      return;
    }
    gone_.push_back(std::move(chosen->copy));
    members_.erase(chosen);
  }

  static void leave(Member& member) {
    member.copy.signal(SIGTERM);
    if (member.stopped) member.copy.signal(SIGCONT);  // else it could not
  }

  /// All that have been told to go are gone, and those that run show how many there are.
  testing::AssertionResult truth_is_shown() {
    for (Copy& copy : gone_) {
      if (!copy.exit_code()) return testing::AssertionFailure() << copy.pid() << " does not end";
    }
    gone_.clear();
    std::vector<Copy*> running;
    for (Member& member : members_) {
      if (!member.stopped) running.push_back(&member.copy);
    }
    if (running.empty()) return testing::AssertionSuccess();
    return all_show(running, static_cast<int>(members_.size()));
  }

  std::mt19937 random_{seed()};
  std::vector<Member> members_;
  Copies gone_;
};

TEST_F(Random, AnyMixOfStartsExitsKillsAndStopsEndsInTheTruth) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{12};
  for (int round = 0; std::chrono::steady_clock::now() < end; ++round) {
    const int steps = 1 + below(25);
    for (int i = 0; i < steps; ++i) step();
    // A copy that was stopped before it had joined is no copy yet; all go on, so that all have.
    for (Member& member : members_) {
      if (member.stopped && !member.copy.shown()) {
        member.copy.signal(SIGCONT);
        member.stopped = false;
      }
    }
    ASSERT_TRUE(truth_is_shown()) << "in round " << round;
  }
  for (Member& member : members_) leave(member);
  for (Member& member : members_) EXPECT_EQ(member.copy.exit_code(), 0) << member.copy.notes();

  Copy fresh = start();
  ASSERT_TRUE(fresh.prints("joined"));
  EXPECT_EQ(live_on(fresh.lines().front()), 1);
  EXPECT_EQ(fresh.stop(), 0);
  EXPECT_TRUE(nothing_is_left());
}

}  // namespace
}  // namespace share_data::test
