// Copies that start, leave and are terminated, also while others are stopped or stuck with what they write.
#include <gtest/gtest.h>

#include <windows.h>

#include <iterator>
#include <random>
#include <string>

#include "copy.h"
#include "shared_memory.h"
#include "win32.h"

namespace share_data::test {
namespace {

TEST(Start, OfSeventyCopiesStartedAtOnceAllShowTheTruthAlsoAfterSomeAreKilled) {
  const Folder folder;
  Copies copies;
  start(copies, 70, folder.exe());  // more than one can watch
  ASSERT_TRUE(all_show(copies, 70));
  copies.pop_front();
  EXPECT_TRUE(all_show(copies, 69));
  copies.pop_back();
  copies.erase(std::next(copies.begin(), 30));
  EXPECT_TRUE(all_show(copies, 67));
}

TEST(Start, CopiesOfAnotherFileCountApartButTogetherThroughAMapping) {
  const Folder here;
  const Folder there;
  const Start mapping{.arguments = via_mapping(unique_name())};
  Copies files;
  Copies mapped;
  start(files, 2, here.exe());
  start(mapped, 1, here.exe(), mapping);
  start(mapped, 1, there.exe(), mapping);
  const Copy elsewhere{there.exe()};
  EXPECT_TRUE(all_show(mapped, 2));
  EXPECT_TRUE(all_show(files, 2));
  EXPECT_TRUE(shows(elsewhere, 1));
  mapped.pop_back();
  EXPECT_TRUE(all_show(mapped, 1));
}

TEST(Death, TheOthersSeeAKilledCopy) {
  const Folder folder;
  Copies copies;
  start(copies, 12, folder.exe());
  ASSERT_TRUE(all_show(copies, 12));
  const std::string pid = std::to_string(copies.front().pid());
  copies.pop_front();
  for (const Copy& copy : copies) {
    EXPECT_TRUE(says(copy, "11 live  x " + pid + R"( was killed \(a plain \+\+/-- counter now says 12\))"));
  }
  for (int i = 0; i < 4; ++i) copies.pop_front();
  EXPECT_TRUE(all_show(copies, 7));
  for (auto copy = std::next(copies.begin()); copy != copies.end(); ++copy) TerminateProcess(copy->process(), 1);
  EXPECT_TRUE(shows(copies.front(), 1));
  const Copy newcomer{folder.exe()};
  EXPECT_TRUE(shows(newcomer, 2));
}

TEST(Death, IsToldFromLeavingHoweverOftenTheSlotWasUsedSince) {
  const Folder folder;
  const PseudoConsole console;
  const Copy stopped{folder.exe()};
  const Copy witness{folder.exe()};
  Copies killed;
  start(killed, 2, folder.exe());
  const Copy left{folder.exe(), Start{.console = console.handle()}};
  ASSERT_TRUE(shows(stopped, 5) && shows(witness, 5) && shows(left, 5));
  stopped.suspend();
  console.send(CTRL_C_EVENT);
  EXPECT_EQ(left.exit_code(), DWORD{0});
  for (const Copy& copy : killed) copy.terminate();
  for (int i = 0; i < 6; ++i) EXPECT_EQ(Copy(folder.exe(), {L"--for", L"0.01"}).exit_code(), DWORD{0});
  stopped.resume();
  for (const Copy* copy : {&stopped, &witness}) {
    const auto list = [](const char* what, const Copy& of) {
      return what + std::string{"( \\d+)* "} + std::to_string(of.pid()) + "[ \n]";
    };
    EXPECT_TRUE(says(*copy, list("-", left)));
    for (const Copy& victim : killed) EXPECT_TRUE(says(*copy, list("x", victim)));
    for (const Copy& victim : killed) EXPECT_FALSE(matches(copy->output(), list("-", victim))) << copy->output();
    EXPECT_FALSE(matches(copy->output(), list("x", left))) << copy->output();
  }
}

TEST(Death, ACopyKilledAnywhereInItsStartIsNotCounted) {
  const Folder folder;
  Copies witnesses;
  start(witnesses, 2, folder.exe());
  ASSERT_TRUE(all_show(witnesses, 2));
  std::mt19937 random{20240506};  // NOLINT(cert-msc32-c,cert-msc51-cpp): repeatable on purpose
  for (int round = 0; round < 25; ++round) {
    const Copy victim{folder.exe()};
    if (random() % 4 == 0) {
      (void)eventually([&] { return victim.count().has_value(); });
    } else {
      Sleep(random() % 60);
    }
  }
  EXPECT_TRUE(all_show(witnesses, 2));
  const Copy newcomer{folder.exe()};
  EXPECT_TRUE(shows(newcomer, 3));
  EXPECT_TRUE(all_show(witnesses, 3));
}

TEST(Death, AfterAllWereKilledAFreshStartShowsOneAtOnce) {
  const Folder folder;
  const Start mapping{.arguments = via_mapping(unique_name())};
  const SharedMemory table = open_or_create_mapping(to_utf8(mapping.arguments.back()), Log{{}, 0});  // outlives them
  Copies copies;
  start(copies, 12, folder.exe(), mapping);
  ASSERT_TRUE(all_show(copies, 12));
  for (const Copy& copy : copies) TerminateProcess(copy.process(), 1);
  copies.clear();
  const Copy newcomer{folder.exe(), mapping};
  EXPECT_TRUE(says(newcomer, "^[^\n]* 1 live  joined"));
}

TEST(Stops, SevenStoppedNeighboursHideNothingFromTheRestAndShowTheTruthWhenTheyGoOn) {
  const Folder folder;
  Copies copies;
  for (unsigned live = 1; live <= 12; ++live) {  // one after the other, so that each has the next slot
    start(copies, 1, folder.exe());
    ASSERT_TRUE(shows(copies.back(), live));
  }
  ASSERT_TRUE(all_show(copies, 12));
  Copies stopped;
  stopped.splice(stopped.end(), copies, std::next(copies.begin()), std::next(copies.begin(), 8));
  for (const Copy& copy : stopped) copy.suspend();
  start(copies, 1, folder.exe());
  EXPECT_TRUE(all_show(copies, 13));
  copies.pop_front();
  EXPECT_TRUE(all_show(copies, 12));
  copies.pop_back();
  EXPECT_TRUE(all_show(copies, 11));
  for (const Copy& copy : stopped) copy.resume();
  EXPECT_TRUE(all_show(stopped, 11));
}

TEST(Stops, NeighboursThatAreStuckInAFullPipeHideNoDeath) {
  const Folder folder;
  Copies copies;
  Copies stuck;
  start(copies, 2, folder.exe());
  ASSERT_TRUE(all_show(copies, 2));
  start(stuck, 10, folder.exe(), Start{.read = false});
  ASSERT_TRUE(all_show(copies, 12));
  copies.pop_front();
  EXPECT_TRUE(all_show(copies, 11));
  for (const Copy& copy : stuck) EXPECT_FALSE(copy.has_ended());
}

}  // namespace
}  // namespace share_data::test
