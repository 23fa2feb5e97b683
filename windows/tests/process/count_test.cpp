// Copies that are terminated, also while they start or while others are stopped.
#include <gtest/gtest.h>

#include <windows.h>

#include <iterator>
#include <random>
#include <string>

#include "copies.h"

namespace share_data::test {
namespace {

TEST(Death, TheOthersSeeAKilledCopy) {
  const Folder folder;
  Copies copies;
  start(copies, 70, folder.exe());  // more than one can watch
  ASSERT_TRUE(all_show(copies, 70));
  const std::string pid = std::to_string(copies.front().pid());
  copies.pop_front();
  for (const Copy& copy : copies) {
    EXPECT_TRUE(says(copy, "69 live  x " + pid + R"( was killed \(a plain \+\+/-- counter now says 70\))"));
  }
  copies.pop_back();
  copies.erase(std::next(copies.begin(), 30));
  EXPECT_TRUE(all_show(copies, 67));
  for (auto copy = std::next(copies.begin()); copy != copies.end(); ++copy) TerminateProcess(copy->process(), 1);
  EXPECT_TRUE(shows(copies.front(), 1));
  const Copy newcomer{folder.exe()};
  EXPECT_TRUE(shows(newcomer, 2));
}

TEST(Death, IsToldFromLeavingHoweverOftenTheSlotWasUsedSince) {
  const Folder folder;
  const Copy stopped{folder.exe()};
  const Copy witness{folder.exe()};
  Copies killed;
  start(killed, 2, folder.exe());
  const Copy left{folder.exe(), Start{.own_console = true}};
  ASSERT_TRUE(shows(stopped, 5) && shows(witness, 5) && shows(left, 5));
  stopped.suspend();
  left.press(CTRL_C_EVENT);
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
    Sleep(random() % 60);  // until shortly after its first line
  }
  EXPECT_TRUE(all_show(witnesses, 2));
  const Copy newcomer{folder.exe()};
  EXPECT_TRUE(shows(newcomer, 3));
  EXPECT_TRUE(all_show(witnesses, 3));
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

}  // namespace
}  // namespace share_data::test
