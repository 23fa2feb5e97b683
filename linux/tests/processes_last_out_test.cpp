// Copies that start and end all the time, so that the last one out meets the next one in.
#include <chrono>
#include <random>
#include <thread>

#include <fmt/format.h>

#include "copies_test.h"
#include "seed.h"

namespace share_data::test {
namespace {

using LastOut = CopiesTest;

TEST_F(LastOut, HundredsOfShortLivesLeaveOneSegmentToThoseWhoStayAndNothingInTheEnd) {
  std::mt19937 random{seed()};
  const auto moment = [&] { return std::chrono::microseconds{random() % 3000}; };
  for (int round = 0; round < scaled(100); ++round) {
    Copies brief;
    Copies staying;
    for (int i = 0; i < 12; ++i) {
      brief.push_back(
          start({"--quiet", "--for", fmt::format("{:.6f}", 1e-6 * static_cast<double>(random() % 5000 + 1))}));
      if (random() % 8 == 0) staying.push_back(start({"--quiet"}));
      if (random() % 3 == 0) std::this_thread::sleep_for(moment());
    }
    for (Copy& copy : brief) ASSERT_EQ(copy.exit_code(), 0) << copy.notes();
    ASSERT_TRUE(all_show(staying, static_cast<int>(staying.size()))) << "in round " << round;
    ASSERT_EQ(removed_segments(key()), 0U) << "in round " << round;
    ASSERT_TRUE(all_leave(staying));
    ASSERT_TRUE(nothing_is_left()) << "in round " << round;
  }
}

TEST_F(LastOut, WhoComesJustWhenTheLastOneLeavesIsNeverAloneInASegmentOfItsOwn) {
  Copy current = start();
  ASSERT_TRUE(all_show({&current}, 1));
  std::mt19937 random{seed()};
  for (int round = 0; round < scaled(200); ++round) {
    Copies next = start_many(2);
    std::this_thread::sleep_for(std::chrono::microseconds{random() % 4000});
    ASSERT_EQ(current.stop(), 0);
    ASSERT_TRUE(all_show(next, 2)) << "in round " << round;
    ASSERT_EQ(next[1].stop(), 0);
    current = std::move(next[0]);
  }
  EXPECT_EQ(current.stop(), 0);
  EXPECT_TRUE(nothing_is_left());
}

}  // namespace
}  // namespace share_data::test
