// The two small programs of windows/lesson: counter.cpp, which goes wrong with a kill, and exact.cpp, which does not.
#include <gtest/gtest.h>

#include <windows.h>

#include <iterator>
#include <random>
#include <string>

#include "copies.h"
#include "win32.h"

namespace share_data::test {
namespace {

TEST(Lesson, TheCounterIsRightUntilACopyIsKilledAndWrongFromThenOn) {
  const Folder folder{COUNTER_EXE};
  Copies copies;
  start(copies, 2, folder.exe());
  const Copy left{folder.exe(), Start{.own_console = true}};
  ASSERT_TRUE(all_show(copies, 3));
  left.press(CTRL_C_EVENT);
  EXPECT_TRUE(all_show(copies, 2));
  copies.pop_front();
  const Copy third{folder.exe()};
  EXPECT_TRUE(all_show(copies, 3)) << "two run";
}

TEST(Lesson, ExactShowsOneLineForEachChange) {
  const Folder folder{EXACT_EXE};
  Copies copies;
  start(copies, 1, folder.exe());
  EXPECT_TRUE(all_show(copies, 1));
  const std::string pid = "[" + std::to_string(copies.front().pid()) + "] ";
  start(copies, 1, folder.exe());
  EXPECT_TRUE(all_show(copies, 2));
  copies.pop_back();
  EXPECT_TRUE(all_show(copies, 1));
  const std::string one = pid + "1 live\r\n";
  const std::string two = pid + "2 live\r\n";
  EXPECT_EQ(copies.front().output(), one + two + one);
}

TEST(Lesson, ExactShowsTheTruthAfterKillsAtAnyMomentAndRefusesOneMoreThanThereAreSlots) {
  const Folder folder{EXACT_EXE};
  Copies copies;
  std::mt19937 random{20240506};  // NOLINT(cert-msc32-c,cert-msc51-cpp): repeatable on purpose
  for (int round = 0; round < 40; ++round) {
    start(copies, 1, folder.exe());
    if (random() % 2 == 0) Sleep(random() % 40);  // so that some are killed while they start
    if (random() % 2 == 0) continue;
    copies.erase(random() % 2 == 0 ? std::prev(copies.end()) : std::next(copies.begin(), random() % copies.size()));
  }
  start(copies, MAXIMUM_WAIT_OBJECTS - copies.size(), folder.exe());
  ASSERT_TRUE(all_show(copies, MAXIMUM_WAIT_OBJECTS));
  const Copy refused{folder.exe()};
  EXPECT_EQ(refused.exit_code(), DWORD{1});
  EXPECT_TRUE(notes(refused, "^exact: the table is full: 64 copies are running"));
  copies.pop_front();
  EXPECT_TRUE(all_show(copies, MAXIMUM_WAIT_OBJECTS - 1));
  start(copies, 1, folder.exe());
  EXPECT_TRUE(all_show(copies, MAXIMUM_WAIT_OBJECTS));
}

TEST(Lesson, ExactNamesACallThatFails) {
  const Folder folder{EXACT_EXE};
  const Copy copy{folder.exe(), Start{.suspended = true}};
  const std::string name = "Local\\share_data_exact-" + std::to_string(copy.pid());
  const Handle other_kind{CreateMutexA(nullptr, FALSE, name.c_str())};
  copy.resume();
  EXPECT_EQ(copy.exit_code(), DWORD{1});
  EXPECT_TRUE(notes(copy, "^exact: CreateEvent \\(error 6\\)\r\n$"));
}

}  // namespace
}  // namespace share_data::test
