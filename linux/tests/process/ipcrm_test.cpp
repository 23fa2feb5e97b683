// Somebody removes the segment under running copies, as `ipcrm` does, or a logout.
#include <sched.h>

#include "copies.h"

namespace share_data::test {
namespace {

class Ipcrm : public CopiesTest {
 protected:
  /// All show the count in one segment.
  void expect_together(Copies& copies) const {
    EXPECT_TRUE(all_show(copies));
    EXPECT_TRUE(eventually([&] { return removed_segments(key()) == 0; })) << "somebody is still in a removed segment";
    EXPECT_EQ(RawSegment{key()}.table().plain, static_cast<int>(copies.size()));
    expect_clean_end(copies);
  }
};

TEST_F(Ipcrm, StartsBringAllTogether) {
  for (const auto& [before, after] : {std::pair{4, 1}, std::pair{scaled(30), scaled(30)}}) {
    Copies copies = start_together(before);
    ASSERT_TRUE(remove_segment(key()));
    add(copies, start_many(after));
    expect_together(copies);
  }
}

TEST_F(Ipcrm, ThoseWhoAreLeftBehindGoOnTogether) {
  Copies copies = start_together(4);
  ASSERT_TRUE(remove_segment(key()));
  take(copies, 3).destroy();
  EXPECT_TRUE(each_shows(copies, 3));
  EXPECT_EQ(take(copies, 2).stop(), 0);
  EXPECT_TRUE(each_shows(copies, 2));
  expect_clean_end(copies);
}

TEST_F(Ipcrm, ACopyThatWasStoppedMeanwhileJoinsWhenItGoesOn) {
  const Launch explaining{.options = {"--explain"}};
  Copies copies = start_together(3, explaining);
  suspend({&copies[1]});
  ASSERT_TRUE(remove_segment(key()));
  copies.push_back(start(explaining));
  EXPECT_TRUE(all_show({&copies[0], &copies[2], &copies[3]}, 3));
  {
    const Segment removed = std::move(Segment::open_removed(key(), SHM_RDONLY).at(0));
    EXPECT_TRUE(eventually([&] { return removed.table().look().live == 1; })) << "only the one that is stopped";
    const auto told = fmt::format("copies may be in segment {}, which was removed:", removed.id());
    EXPECT_TRUE(std::ranges::any_of(copies, [&](Copy& copy) { return contains(copy.notes(), told); }));
  }
  copies[1].signal(SIGCONT);
  expect_together(copies);
  for (Copy& copy : copies) EXPECT_EQ(copy.output().find("killed"), std::string::npos) << "it only was somewhere else";
}

using NoNewSegment = Ipcrm;

TEST_F(NoNewSegment, AllStayInTheRemovedOneAndSaySoOnceAndMoveWhenTheyCan) {
  if (unshare(CLONE_NEWIPC) != 0) GTEST_SKIP() << "needs an IPC namespace of its own, for limits of its own";
  for (const bool has_foreign : {false, true}) {
    Copies copies = start_together(5);
    ASSERT_TRUE(remove_segment(key()));
    if (has_foreign) RawSegment{key(), 100};
    if (!has_foreign) std::ofstream{"/proc/sys/kernel/shmmni"} << 0;
    EXPECT_EQ(ask_here({"--for", "0.01"}).exit_code(), 1);
    for (const int signal : {SIGKILL, SIGKILL, SIGTERM}) {
      take(copies, copies.size() - 1).signal(signal);
      EXPECT_TRUE(each_shows(copies, static_cast<int>(copies.size())));
    }
    if (has_foreign) remove_segment(key());
    if (!has_foreign) std::ofstream{"/proc/sys/kernel/shmmni"} << 4096;
    copies.push_back(start());
    EXPECT_TRUE(all_show(copies));
    for (Copy* const copy : {&copies[0], &copies[1]}) {
      const std::string& notes = copy->notes();
      const std::size_t first = notes.find("no new segment can be had: ");
      ASSERT_NE(first, std::string::npos) << notes;
      EXPECT_TRUE(contains(notes.substr(first), has_foreign ? "another program or version" : "No space left"));
      EXPECT_EQ(notes.find("no new segment can be had", first + 1), std::string::npos) << "once is enough";
    }
    expect_together(copies);
  }
}

TEST_F(NoNewSegment, IsAnErrorThatNamesTheLimitIfACopyCannotEvenStart) {
  if (unshare(CLONE_NEWIPC) != 0) GTEST_SKIP() << "needs an IPC namespace of its own, for limits of its own";
  for (const auto& [limit, usual] : {std::pair{"shmmni", "4096"}, {"shmall", "268435456"}, {"shmmax", "268435456"}}) {
    const std::string name = std::string{"/proc/sys/kernel/"} + limit;
    std::ofstream{name} << 0;
    Copy copy = ask_here({});
    EXPECT_TRUE(fails(copy, 1, "share_data: shmget IPC_CREAT 0x"));
    EXPECT_TRUE(contains(copy.notes(), std::string{"kernel."} + limit));
    std::ofstream{name} << usual;
  }
}

}  // namespace
}  // namespace share_data::test
