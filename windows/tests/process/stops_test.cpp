// Copies that are stopped, or stuck with what they write.
#include <gtest/gtest.h>

#include <windows.h>

#include <iterator>

#include "copies.h"

namespace share_data::test {
namespace {

TEST(Stops, AStoppedCopyChangesNothingForTheRestAndShowsTheTruthWhenItGoesOn) {
  const Folder folder;
  Copies running;
  Copies stopped;
  start(running, 2, folder.exe());
  start(stopped, 2, folder.exe());
  ASSERT_TRUE(all_show(running, 4) && all_show(stopped, 4));
  for (const Copy& copy : stopped) copy.suspend();
  start(running, 2, folder.exe());
  EXPECT_TRUE(all_show(running, 6)) << all_output(running);
  running.pop_back();
  EXPECT_TRUE(all_show(running, 5)) << all_output(running);
  for (const Copy& copy : stopped) copy.resume();
  EXPECT_TRUE(all_show(stopped, 5)) << all_output(stopped);
}

TEST(Stops, SevenStoppedNeighboursHideADeathFromNobody) {
  const Folder folder;
  Copies copies;
  for (unsigned live = 1; live <= 12; ++live) {  // one after the other, so that each has the next slot
    start(copies, 1, folder.exe());
    ASSERT_TRUE(eventually([&] { return copies.back().shows() == live; })) << all_output(copies);
  }
  ASSERT_TRUE(all_show(copies, 12)) << all_output(copies);
  Copies stopped;
  const auto victim = copies.begin();
  for (int i = 0; i < 7; ++i) stopped.splice(stopped.end(), copies, std::next(victim));
  for (const Copy& copy : stopped) copy.suspend();
  copies.pop_front();
  EXPECT_TRUE(all_show(copies, 11)) << all_output(copies);
  for (const Copy& copy : stopped) copy.resume();
  EXPECT_TRUE(all_show(stopped, 11)) << all_output(stopped);
}

TEST(Stops, NeighboursThatAreStuckInAFullPipeHideNoDeath) {
  const Folder folder;
  Copies copies;
  Copies stuck;
  start(copies, 2, folder.exe());
  ASSERT_TRUE(all_show(copies, 2)) << all_output(copies);
  start(stuck, 10, folder.exe(), Start{.read_output = false});
  ASSERT_TRUE(all_show(copies, 12)) << all_output(copies);
  copies.pop_front();
  EXPECT_TRUE(all_show(copies, 11)) << all_output(copies);
  for (const Copy& copy : stuck) EXPECT_EQ(WaitForSingleObject(copy.process(), 0), DWORD{WAIT_TIMEOUT});
}

}  // namespace
}  // namespace share_data::test
