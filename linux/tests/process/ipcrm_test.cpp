// Somebody removes the segment under running copies, as `ipcrm` does, or a logout.
#include <algorithm>

#include "copies.h"

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
  void expect_together(Copies& copies) const {
    EXPECT_TRUE(all_show(copies));
    EXPECT_TRUE(eventually([&] { return removed_segments(key()) == 0; })) << "somebody is still in a removed segment";
  }
};

TEST_F(Ipcrm, StartsBringAllTogether) {
  for (const auto& [before, after] : {std::pair{4, 1}, std::pair{scaled(30), scaled(30)}}) {
    Copies copies = start_and_remove(before);
    std::ranges::move(start_many(after), std::back_inserter(copies));
    expect_together(copies);
    expect_clean_end(copies);
  }
}

TEST_F(Ipcrm, ThoseWhoAreLeftBehindGoOnTogether) {
  Copies copies = start_and_remove(4);
  const auto all_show_the_count = [&] {
    const int count = static_cast<int>(copies.size());
    return eventually([&] { return std::ranges::all_of(copies, [&](Copy& copy) { return copy.shown() == count; }); });
  };
  take(copies, 3).destroy();
  EXPECT_TRUE(all_show_the_count());
  EXPECT_EQ(take(copies, 2).stop(), 0);
  EXPECT_TRUE(all_show_the_count());
  expect_clean_end(copies);
}

TEST_F(Ipcrm, AgainAndAgainWhileAllAreMoving) {
  std::mt19937 random{seed()};
  Copies copies = start_many(5);
  for (int i = 0; i < scaled(40); ++i) {
    std::this_thread::sleep_for(std::chrono::microseconds{random() % 20000});
    remove_segment(key());
    if (random() % 3 == 0 && copies.size() > 3) {
      Copy chosen = take(copies, random() % copies.size());
      chosen.signal(random() % 2 == 0 ? SIGKILL : SIGTERM);
      chosen.exit_code();
    }
    copies.push_back(start());
  }
  expect_together(copies);
  expect_clean_end(copies);
}

TEST_F(Ipcrm, ACopyThatWasStoppedMeanwhileJoinsWhenItGoesOn) {
  Copies copies = start_together(3);
  copies[1].signal(SIGSTOP);
  ASSERT_TRUE(remove_segment(key()));
  copies.push_back(start());
  EXPECT_TRUE(all_show({&copies[0], &copies[2], &copies[3]}, 3));
  copies[1].signal(SIGCONT);
  expect_together(copies);
  for (Copy& copy : copies) EXPECT_FALSE(contains(copy.output(), "killed")) << "it only was somewhere else";
}

TEST_F(Ipcrm, ItsLastOneCanLeaveJustWhenAnotherOneComes) {
  for (int round = 0; round < scaled(40) && !HasFailure(); ++round) {
    SCOPED_TRACE(round);
    Copies copies = start_and_remove(2);
    copies[0].signal(SIGTERM);
    copies.push_back(start());
    EXPECT_EQ(take(copies, 0).exit_code(), 0);
    expect_together(copies);
    expect_clean_end(copies);
  }
}

TEST_F(Ipcrm, TheCopyThatBringsThemTogetherCanBeKilledAtIt) {
  std::mt19937 random{seed()};
  for (int round = 0; round < scaled(40) && !HasFailure(); ++round) {
    SCOPED_TRACE(round);
    Copies copies = start_and_remove(2);
    Copy victim = start();
    std::this_thread::sleep_for(std::chrono::microseconds{random() % 4000});
    victim.destroy();
    copies.push_back(start());
    expect_together(copies);
    expect_clean_end(copies);
  }
}

}  // namespace
}  // namespace share_data::test
