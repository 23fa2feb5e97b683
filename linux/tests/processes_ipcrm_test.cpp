// Somebody removes the segment under running copies, as `ipcrm` does, or a logout.
#include <algorithm>
#include <random>

#include "copies_test.h"
#include "seed.h"

namespace share_data::test {
namespace {

class Ipcrm : public CopiesTest {
 protected:
  /// Copies whose segment was removed.
  [[nodiscard]] Copies start_and_remove(int count) const {
    Copies copies = start_together(count);
    EXPECT_TRUE(remove_segment(key()));
    return copies;
  }

  /// All show the count in one segment.
  testing::AssertionResult are_together(Copies& copies) const {
    if (auto shown = all_show(copies, static_cast<int>(copies.size())); !shown) return shown;
    if (!eventually([&] { return removed_segments(key()) == 0; })) {
      return testing::AssertionFailure() << "somebody is still in a removed segment";
    }
    return testing::AssertionSuccess();
  }
};

TEST_F(Ipcrm, OneMoreStartBringsAllTogether) {
  Copies copies = start_and_remove(4);
  copies.push_back(start());
  EXPECT_TRUE(are_together(copies));
  EXPECT_TRUE(all_leave(copies));
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(Ipcrm, ManyStartsAtOnceBringAllTogether) {
  Copies copies = start_and_remove(scaled(30));
  for (int i = 0; i < scaled(30); ++i) copies.push_back(start());
  EXPECT_TRUE(are_together(copies));
}

TEST_F(Ipcrm, ThoseWhoAreLeftBehindGoOnTogether) {
  Copies copies = start_and_remove(4);
  copies[3].destroy();
  copies.pop_back();
  const auto show = [&](int count) {
    return eventually([&] { return std::ranges::all_of(copies, [&](Copy& copy) { return copy.shown() == count; }); });
  };
  EXPECT_TRUE(show(3));
  EXPECT_EQ(copies[2].stop(), 0);
  copies.pop_back();
  EXPECT_TRUE(show(2));
  EXPECT_TRUE(all_leave(copies));
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(Ipcrm, AllCanLeaveAfterIt) {
  Copies copies = start_and_remove(5);
  EXPECT_TRUE(all_leave(copies));
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(Ipcrm, TwiceInARow) {
  Copies copies = start_many(3);
  ASSERT_TRUE(are_together(copies));
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(eventually([&] { return remove_segment(key()); }));
    copies.push_back(start());
  }
  EXPECT_TRUE(are_together(copies));
}

TEST_F(Ipcrm, AgainAndAgainWhileAllAreMoving) {
  std::mt19937 random{seed()};
  Copies copies = start_many(5);
  for (int i = 0; i < scaled(40); ++i) {
    std::this_thread::sleep_for(std::chrono::microseconds{random() % 20000});
    remove_segment(key());
    if (random() % 3 == 0 && copies.size() > 3) {
      const std::size_t chosen = random() % copies.size();
      if (random() % 2 == 0) {
        copies[chosen].destroy();
      } else {
        copies[chosen].signal(SIGTERM);
        copies[chosen].exit_code();
      }
      copies.erase(copies.begin() + static_cast<std::ptrdiff_t>(chosen));
    }
    copies.push_back(start());
  }
  EXPECT_TRUE(are_together(copies));
  EXPECT_TRUE(all_leave(copies));
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(Ipcrm, ACopyThatWasStoppedMeanwhileJoinsWhenItGoesOn) {
  Copies copies = start_many(3);
  ASSERT_TRUE(are_together(copies));
  copies[1].signal(SIGSTOP);
  ASSERT_TRUE(remove_segment(key()));
  copies.push_back(start());
  EXPECT_TRUE(all_show({&copies[0], &copies[2], &copies[3]}, 3));
  copies[1].signal(SIGCONT);
  EXPECT_TRUE(are_together(copies));
}

TEST_F(Ipcrm, ItsLastOneCanLeaveJustWhenAnotherOneComes) {
  for (int round = 0; round < scaled(40); ++round) {
    Copies copies = start_and_remove(2);
    copies[0].signal(SIGTERM);
    copies.push_back(start());
    ASSERT_EQ(copies[0].exit_code(), 0);
    copies.erase(copies.begin());
    ASSERT_TRUE(are_together(copies)) << "in round " << round;
    ASSERT_TRUE(all_leave(copies));
    ASSERT_TRUE(nothing_is_left());
  }
}

TEST_F(Ipcrm, TheCopyThatBringsThemTogetherCanBeKilledAtIt) {
  std::mt19937 random{seed()};
  for (int round = 0; round < scaled(40); ++round) {
    Copies copies = start_and_remove(2);
    Copy victim = start();
    std::this_thread::sleep_for(std::chrono::microseconds{random() % 4000});
    victim.destroy();
    copies.push_back(start());
    ASSERT_TRUE(are_together(copies)) << "in round " << round;
    ASSERT_TRUE(all_leave(copies));
  }
}

}  // namespace
}  // namespace share_data::test
