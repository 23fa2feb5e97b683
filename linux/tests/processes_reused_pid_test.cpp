// A killed copy's pid is given to another process: that one is no copy, and the killed one stays killed.
#include <memory>

#include "bystander.h"
#include "copies_test.h"

namespace share_data::test {
namespace {

class ReusedPid : public CopiesTest {
 protected:
  /// A process with the pid of a copy that is no more. Empty where we cannot have one.
  static std::unique_ptr<Bystander> successor_of(Copy& copy, Identity identity) {
    copy.destroy();
    for (int attempt = 0; attempt < 100; ++attempt) {
      auto successor = std::make_unique<Bystander>(copy.pid());
      const bool is_another_tick = successor->identity() != identity;
      if (successor->pid() == copy.pid() && is_another_tick) return successor;
    }
    return nullptr;
  }
};

constexpr const char* why_not = "could not have a pid used again; writing ns_last_pid needs root";

TEST_F(ReusedPid, IsNotCountedByAFreshStart) {
  Copy victim = start();
  ASSERT_TRUE(all_show({&victim}, 1));
  const auto successor = successor_of(victim, identity_of(victim.pid()));
  if (!successor) GTEST_SKIP() << why_not;
  Copy fresh = start();
  ASSERT_TRUE(fresh.prints("joined"));
  EXPECT_EQ(live_on(fresh.lines().front()), 1);
  EXPECT_EQ(ask_here({"--status"}).output.find("1 live\n"), 0U);
  EXPECT_TRUE(successor->is_unharmed());
}

TEST_F(ReusedPid, DoesNotHideTheDeathFromACopyThatWasStoppedMeanwhile) {
  Copy witness = start();
  Copy victim = start();
  ASSERT_TRUE(all_show({&witness, &victim}, 2));
  const Identity identity = identity_of(victim.pid());
  witness.signal(SIGSTOP);
  const auto successor = successor_of(victim, identity);
  witness.signal(SIGCONT);
  if (!successor) GTEST_SKIP() << why_not;
  EXPECT_TRUE(witness.prints("1 live  x " + std::to_string(victim.pid()) + " was killed"));
  EXPECT_TRUE(successor->is_unharmed());
}

}  // namespace
}  // namespace share_data::test
