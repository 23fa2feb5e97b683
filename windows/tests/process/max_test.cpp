// --max.
#include <gtest/gtest.h>

#include <windows.h>

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "copies.h"
#include "identity.h"
#include "shared_memory.h"
#include "table.h"
#include "win32.h"

namespace share_data::test {
namespace {

TEST(Max, OfTwelveStartersExactlyAsManyJoinAsMay) {
  const Folder folder;
  std::deque<Copy> copies;
  for (int i = 0; i < 12; ++i)
    copies.emplace_back(folder.exe(), Start{.arguments = {L"--max", L"5"}, .suspended = true});
  for (const Copy& copy : copies) copy.resume();
  const auto ended = [](const Copy& copy) { return WaitForSingleObject(copy.process(), 0) == WAIT_OBJECT_0; };
  EXPECT_TRUE(eventually([&] { return std::ranges::count_if(copies, ended) == 7; }));
  for (const Copy& copy : copies) {
    EXPECT_LE(copy.shows().value_or(0), 5U) << copy.output();
    if (!ended(copy)) continue;
    EXPECT_EQ(copy.exit_code(), DWORD{3});
    EXPECT_EQ(copy.output(), "");
    EXPECT_TRUE(eventually([&] { return matches(copy.notes(), "^share_data: not joining: 5 live, --max 5\n$"); }))
        << copy.notes();
  }
  EXPECT_TRUE(eventually([&] {
    return std::ranges::all_of(copies, [&](const Copy& copy) { return ended(copy) || copy.shows() == 5U; });
  }));
}

TEST(Max, APlaceThatBecomesFreeCanBeTaken) {
  const Folder folder;
  const Copy first{folder.exe(), {L"--max", L"1", L"--for", L"1"}};
  ASSERT_TRUE(eventually([&] { return first.shows() == 1U; })) << first.notes();
  const Copy refused{folder.exe(), {L"--max", L"1"}};
  EXPECT_EQ(refused.exit_code(), DWORD{3});
  EXPECT_EQ(first.exit_code(), DWORD{0});
  const Copy second{folder.exe(), {L"--max", L"1"}};
  EXPECT_TRUE(eventually([&] { return second.shows() == 1U; })) << second.notes();
}

TEST(Max, TheMessageSaysWhatIsThere) {
  const Folder folder;
  const std::wstring name = unique_name();
  const std::vector<std::wstring> mapping{L"--via", L"mapping", L"--name", name, L"--max", L"2"};
  const SharedMemory memory = open_or_create_mapping(to_utf8(name), Log{{}, 0});
  const Copy live{folder.exe(), mapping};
  ASSERT_TRUE(eventually([&] { return live.shows() == 1U; })) << live.notes();
  memory.table->slots[5] = word_of(own_identity(), Mark::joining);  // this process will not get on with it
  const Copy refused{folder.exe(), mapping};
  EXPECT_EQ(refused.exit_code(), DWORD{3});
  EXPECT_TRUE(eventually([&] { return refused.notes() == "share_data: not joining: 1 live and 1 joining, --max 2\n"; }))
      << refused.notes();
}

TEST(Max, WhoIsAskedToLeaveWhileItWaitsLeaves) {
  const Folder folder;
  const std::wstring name = unique_name();
  const SharedMemory memory = open_or_create_mapping(to_utf8(name), Log{{}, 0});
  memory.table->slots[5] = word_of(own_identity(), Mark::joining);
  const Copy copy{folder.exe(), {L"--via", L"mapping", L"--name", name, L"--max", L"1", L"--for", L"0.2"}};
  EXPECT_EQ(copy.exit_code(), DWORD{0}) << copy.notes();
  EXPECT_EQ(copy.output() + copy.notes(), "");
  EXPECT_EQ(memory.table->look().slots[0], 0U);
}

TEST(Max, CopiesThatAreSuspendedWhileTheyJoinDoNotAllGiveUp) {
  const Folder folder;
  Copies copies;
  start(copies, 6, folder.exe(), Start{.arguments = {L"--max", L"2"}});
  for (int round = 0; round < 3; ++round) {
    for (const Copy& copy : copies) copy.suspend();
    Sleep(2200);
    for (const Copy& copy : copies) copy.resume();
    Sleep(static_cast<DWORD>(5 * round));
  }
  const auto joined = [](const Copy& copy) { return copy.shows() == 2U; };
  EXPECT_TRUE(eventually([&] { return std::ranges::count_if(copies, joined) == 2; })) << all_output(copies);
}

TEST(Max, TheDeadTakeNobodysPlace) {
  const Folder folder;
  const Copy first{folder.exe()};
  const Copy second{folder.exe()};
  ASSERT_TRUE(eventually([&] { return first.shows() == 2U && second.shows() == 2U; }));
  first.suspend();  // so that nobody takes the other one out
  second.terminate();
  const Copy third{folder.exe(), {L"--max", L"2"}};
  EXPECT_TRUE(eventually([&] { return third.shows() == 2U; })) << third.output() << third.notes();
}

TEST(Max, StartersThatAreKilledHoldUpNobody) {
  const Folder folder;
  for (int round = 0; round < 10; ++round) {
    Copies copies;
    start(copies, 3, folder.exe(), Start{.arguments = {L"--max", L"1"}});
    Sleep(static_cast<DWORD>(20 + 5 * round));
    copies.clear();
  }
  const Copy copy{folder.exe(), {L"--max", L"1"}};
  EXPECT_TRUE(eventually([&] { return copy.shows() == 1U; })) << copy.notes();
}

TEST(Max, WhoIsRefusedDisturbsNobody) {
  const Folder folder;
  const Copy first{folder.exe()};
  ASSERT_TRUE(eventually([&] { return first.shows() == 1U; }));
  const std::string before = first.output();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Copy(folder.exe(), {L"--max", L"1"}).exit_code(), DWORD{3});
  EXPECT_EQ(first.output(), before);
  const Copy second{folder.exe()};
  EXPECT_TRUE(eventually([&] { return says(first, " 2 live  + " + std::to_string(second.pid()) + "\n"); }))
      << first.output();
}

}  // namespace
}  // namespace share_data::test
