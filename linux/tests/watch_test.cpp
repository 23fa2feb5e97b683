#include "watch.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <system_error>

#include "bystander.h"
#include "waiting.h"

namespace share_data::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

class WatchTest : public testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
    stop_request = FileDescriptor{ends[1]};
    stop = FileDescriptor{ends[0]};
    watch = std::make_unique<Watch>(stop.get());
    slots[own_slot] = slot_of(self);
  }

  Watch::Outcome wait() const { return watch->wait(steady_clock::now() + patience); }

  static constexpr std::size_t own_slot = 100;
  const Identity self = own_identity();
  Slots slots = Slots(slot_count, free_slot);
  FileDescriptor stop_request;
  FileDescriptor stop;
  std::unique_ptr<Watch> watch;
};

TEST_F(WatchTest, SeesARequestToStop) {
  ASSERT_EQ(write(stop_request.get(), "x", 1), 1);
  EXPECT_TRUE(wait().stop);
  EXPECT_TRUE(wait().stop) << "once asked to stop, always asked to stop";
}

TEST_F(WatchTest, EndsAtTheDeadlineAndNotBefore) {
  const auto deadline = steady_clock::now() + 50ms;
  EXPECT_TRUE(watch->wait(deadline).deadline);
  EXPECT_GE(steady_clock::now(), deadline);
}

TEST_F(WatchTest, EndsWhenNudged) {
  watch->nudge();
  const Watch::Outcome outcome = wait();
  EXPECT_TRUE(outcome.nudged);
  EXPECT_FALSE(outcome.stop || outcome.deadline || outcome.sweep);
  EXPECT_FALSE(watch->wait(steady_clock::now()).nudged) << "one nudge is one nudge";
}

TEST_F(WatchTest, SeesADeath) {
  const Bystander other;
  slots[own_slot - 1] = slot_of(other.identity());
  EXPECT_TRUE(watch->follow(slots, self).empty());
  EXPECT_TRUE(watch->wait(steady_clock::now()).dead.empty());
  other.destroy();
  EXPECT_EQ(wait().dead, std::vector{other.identity()});
  EXPECT_EQ(watch->sweep_reason(), 0);
}

TEST_F(WatchTest, SeesTheDeathOfOneInAnySlot) {
  for (const std::size_t slot : {std::size_t{0}, own_slot + 1, slot_count - 1}) {
    const Bystander other;
    slots[slot] = slot_of(other.identity());
    EXPECT_TRUE(watch->follow(slots, self).empty());
    other.destroy();
    EXPECT_EQ(wait().dead, std::vector{other.identity()}) << "slot " << slot;
    slots[slot] = free_slot;
  }
}

TEST_F(WatchTest, NamesThoseWhoAreDeadAlready) {
  const Identity dead = identity_of_the_dead();
  slots[own_slot - 1] = slot_of(dead);
  EXPECT_EQ(watch->follow(slots, self), std::vector{dead});
}

TEST_F(WatchTest, FollowsNobodyWhoHasLeft) {
  const Bystander other;
  slots[own_slot - 1] = slot_of(other.identity());
  (void)watch->follow(slots, self);
  slots[own_slot - 1] = free_slot;
  (void)watch->follow(slots, self);
  other.destroy();
  EXPECT_TRUE(watch->wait(steady_clock::now() + 20ms).dead.empty());
}

TEST_F(WatchTest, FollowsNoTombstoneAndNotItself) {
  slots[own_slot - 1] = tombstone_of(identity_of_the_dead());
  slots[own_slot - 2] = slot_of(self);
  EXPECT_TRUE(watch->follow(slots, self).empty());
}

// Dead ones stand for the others here: follow() names each of those that it tries to watch.
TEST_F(WatchTest, ReachesTheNearestPredecessorsAroundTheRing) {
  const auto pid = pid_of(identity_of_the_dead());
  const auto dead = [&](std::size_t slot) { return make_identity(pid, 1 + slot); };
  for (std::size_t slot = 0; slot < slot_count; ++slot) {
    if (slot != own_slot) slots[slot] = slot_of(dead(slot));
  }
  const std::vector<Identity> followed = watch->follow(slots, self);
  ASSERT_EQ(followed.size(), Watch::reach);
  for (std::size_t i = 0; i < followed.size(); ++i) {
    EXPECT_EQ(followed[i], dead((slot_count + own_slot - 1 - i) % slot_count));
  }
}

TEST(Watch, SaysWhatItCannotHave) { EXPECT_THROW(Watch{-1}, std::runtime_error); }

}  // namespace
}  // namespace share_data::test
