// Copies that are killed: no handler of theirs ever runs, and the count must be exact all the same.
#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

#include "copies_test.h"
#include "seed.h"

namespace share_data::test {
namespace {

using Death = CopiesTest;

TEST_F(Death, TheOthersSeeAKilledCopy) {
  Copies copies = start_many(4);
  ASSERT_TRUE(all_show(copies, 4));
  copies[1].destroy();
  const std::string line =
      "3 live  x " + std::to_string(copies[1].pid()) + " was killed (a plain ++/-- counter now says 4)";
  for (const std::size_t survivor : {0U, 2U, 3U}) EXPECT_TRUE(copies[survivor].prints(line)) << survivor;
}

TEST_F(Death, AllButOneAreKilledAtOnce) {
  const int count = scaled(100);
  Copies copies = start_many(count);
  ASSERT_TRUE(all_show(copies, count));
  for (int i = 1; i < count; ++i) copies[static_cast<std::size_t>(i)].signal(SIGKILL);
  EXPECT_TRUE(all_show({&copies[0]}, 1));
  EXPECT_EQ(copies[0].stop(), 0);
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(Death, AfterAllWereKilledAFreshStartShowsOneAtOnce) {
  for (int round = 0; round < 5; ++round) {
    Copies copies = start_many(10);
    ASSERT_TRUE(all_show(copies, 10));
    for (const Copy& copy : copies) copy.signal(SIGKILL);
    for (Copy& copy : copies) copy.destroy();
    ASSERT_TRUE(segment_of(key())) << "killed copies cannot have removed it";

    Copy fresh = start();
    ASSERT_TRUE(fresh.prints("joined"));
    EXPECT_EQ(live_on(fresh.lines().front()), 1);
    EXPECT_EQ(fresh.stop(), 0);
    EXPECT_TRUE(nothing_is_left());
  }
}

// A killed copy keeps its entry in the process table until its parent asks; it is no running copy any more.
TEST_F(Death, AZombieDoesNotCount) {
  Copies copies = start_many(2);
  ASSERT_TRUE(all_show(copies, 2));
  copies[1].signal(SIGKILL);
  EXPECT_TRUE(copies[0].prints("1 live  x " + std::to_string(copies[1].pid())));
  Copy fresh = start();
  ASSERT_TRUE(fresh.prints("joined"));
  EXPECT_EQ(live_on(fresh.lines().front()), 2);
}

TEST_F(Death, ACopyKilledAnywhereInItsStartIsNotCounted) {
  std::mt19937 random{seed()};
  Copy survivor = start();
  ASSERT_TRUE(all_show({&survivor}, 1));

  // How long a start takes on this machine, so that the kills fall into it.
  const auto begin = std::chrono::steady_clock::now();
  Copy measured = start();
  ASSERT_TRUE(measured.prints("joined"));
  const std::chrono::duration<double, std::micro> start_time = std::chrono::steady_clock::now() - begin;
  ASSERT_EQ(measured.stop(), 0);

  std::uniform_real_distribution<double> moment{0, 1.3 * start_time.count()};
  for (int i = 0; i < scaled(300); ++i) {
    Copy victim = start();
    std::this_thread::sleep_for(std::chrono::duration<double, std::micro>{moment(random)});
    victim.destroy();
    Copy newcomer = start();
    ASSERT_TRUE(newcomer.prints("joined"));
    ASSERT_EQ(live_on(newcomer.lines().front()), 2) << "in round " << i;
    ASSERT_TRUE(all_show({&survivor, &newcomer}, 2)) << "in round " << i;
    ASSERT_EQ(newcomer.stop(), 0);
    ASSERT_TRUE(all_show({&survivor}, 1)) << "in round " << i;
  }
  EXPECT_EQ(survivor.stop(), 0);
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(Death, SlotsOfTheDeadAreUsedAgain) {
  Copy survivor = start();
  for (int round = 0; round < 3; ++round) {
    Copies copies = start_many(scaled(50));
    ASSERT_TRUE(all_show({&survivor}, 1 + scaled(50)));
    for (const Copy& copy : copies) copy.signal(SIGKILL);
    ASSERT_TRUE(all_show({&survivor}, 1));
  }
}

}  // namespace
}  // namespace share_data::test
