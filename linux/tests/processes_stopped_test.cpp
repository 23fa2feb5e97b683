// Copies that are stopped, with Ctrl+Z or SIGSTOP: they run, so they count, and they hold up nobody.
#include "copies_test.h"

namespace share_data::test {
namespace {

class Stopped : public CopiesTest {};

TEST_F(Stopped, ChangesNothingForTheRest) {
  Copies copies = start_many(5);
  ASSERT_TRUE(all_show(copies, 5));
  const std::size_t lines = copies[0].lines().size();
  copies[3].signal(SIGSTOP);
  copies[4].signal(SIGSTOP);
  ASSERT_TRUE(is_stopped(copies[3]) && is_stopped(copies[4]));

  Copy newcomer = start();
  EXPECT_TRUE(all_show({&copies[0], &copies[1], &copies[2], &newcomer}, 6));
  EXPECT_EQ(newcomer.stop(), 0);
  EXPECT_TRUE(all_show({&copies[0], &copies[1], &copies[2]}, 5));
  EXPECT_EQ(copies[0].lines().size(), lines + 2) << "the newcomer came and went, and that was all";

  copies[3].signal(SIGCONT);
  copies[4].signal(SIGCONT);
  EXPECT_TRUE(all_show(copies, 5));
}

TEST_F(Stopped, ShowsTheTruthWhenItGoesOn) {
  Copies copies = start_many(5);
  ASSERT_TRUE(all_show(copies, 5));
  copies[0].signal(SIGSTOP);
  ASSERT_TRUE(is_stopped(copies[0]));
  EXPECT_EQ(copies[1].stop(), 0);
  copies[2].destroy();
  Copies newcomers = start_many(3);
  ASSERT_TRUE(all_show(newcomers, 6));
  copies[0].signal(SIGCONT);
  EXPECT_TRUE(all_show({&copies[0], &copies[3], &copies[4]}, 6));
}

TEST_F(Stopped, TenOfTwelveDoNotHideADeathFromTheOtherTwo) {
  Copies copies = start_many(12);
  ASSERT_TRUE(all_show(copies, 12));
  for (std::size_t i = 2; i < 12; ++i) copies[i].signal(SIGSTOP);
  for (std::size_t i = 2; i < 12; ++i) ASSERT_TRUE(is_stopped(copies[i]));
  for (int count = 11; count >= 2; --count) {
    const auto victim = static_cast<std::size_t>(count);
    copies[victim].destroy();
    EXPECT_TRUE(all_show({&copies[0], &copies[1]}, count));
    EXPECT_TRUE(copies[0].prints("x " + std::to_string(copies[victim].pid()) + " was killed"));
  }
}

TEST_F(Stopped, CanBeTheLastOneOut) {
  Copies copies = start_many(3);
  ASSERT_TRUE(all_show(copies, 3));
  copies[2].signal(SIGSTOP);
  EXPECT_EQ(copies[0].stop(), 0);
  EXPECT_EQ(copies[1].stop(), 0);
  EXPECT_TRUE(segment_of(key())) << "one is left, and it is stopped";
  copies[2].signal(SIGTERM);
  copies[2].signal(SIGCONT);
  EXPECT_EQ(copies[2].exit_code(), 0);
  EXPECT_TRUE(nothing_is_left());
}

}  // namespace
}  // namespace share_data::test
