// Copies that share a table in a mapping with the test, which writes into it what is hard to bring about: copies that
// have just begun to join, those of other users and rights, and garbage.
#include <gtest/gtest.h>

#include <windows.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <random>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "copies.h"
#include "identity.h"
#include "shared_memory.h"
#include "table.h"
#include "wait.h"
#include "win32.h"

namespace share_data::test {
namespace {

class TableInMapping : public testing::Test {
 protected:
  [[nodiscard]] Start below(const wchar_t* max, bool own_console = false) const {
    return {.arguments = via_mapping(name, {L"--max", max}), .own_console = own_console};
  }

  Folder folder;
  std::wstring name = unique_name();
  SharedMemory memory = open_or_create_mapping(to_utf8(name), Log{{}, 0});
  Table& table = *memory.table;
};

using Max = TableInMapping;
using Garbage = TableInMapping;

TEST_F(Max, OfTwelveStartersExactlyAsManyJoinAsMay) {
  Copies copies;
  Start start_them = below(L"5");
  start_them.suspended = true;
  start(copies, 12, folder.exe(), start_them);
  for (const Copy& copy : copies) copy.resume();
  const auto refused = [](const Copy& copy) { return copy.has_ended(); };
  EXPECT_TRUE(eventually([&] { return std::ranges::count_if(copies, refused) == 7; }));
  for (const Copy& copy : copies) {
    if (refused(copy)) {
      EXPECT_EQ(copy.exit_code(), DWORD{3});
      EXPECT_EQ(copy.output(), "");
      EXPECT_TRUE(notes(copy, "^share_data: not joining: 5 live, --max 5\n$"));
    } else {
      EXPECT_TRUE(shows(copy, 5));
      EXPECT_FALSE(matches(copy.output(), " [6-9] live")) << copy.output();
    }
  }
}

TEST_F(Max, WhoIsRefusedDisturbsNobodyAndAPlaceThatBecomesFreeCanBeTaken) {
  const Copy first{folder.exe(), below(L"1", true)};
  ASSERT_TRUE(shows(first, 1));
  const std::vector<Word> before = table.look().slots;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Copy(folder.exe(), below(L"1")).exit_code(), DWORD{3});
  EXPECT_EQ(table.look().slots, before);
  EXPECT_EQ(table.plain, 1);
  EXPECT_EQ(table.changes, 1U) << "nobody was notified";
  first.press(CTRL_C_EVENT);
  EXPECT_EQ(first.exit_code(), DWORD{0});
  const Copy third{folder.exe(), below(L"1")};
  EXPECT_TRUE(shows(third, 1));
}

TEST_F(Max, TheMessageSaysWhatIsThereAndTheDeadTakeNobodysPlace) {
  const Copy live{folder.exe(), below(L"2")};
  ASSERT_TRUE(shows(live, 1));
  live.suspend();  // so that nobody takes the dead one out
  const Copy dead{folder.exe(), Start{.suspended = true}};
  dead.terminate();
  table.slots[4] = word_of(dead.identity(), Mark::joining);
  table.slots[5] = word_of(own_identity(), Mark::joining);  // this process will not get on with it
  table.slots[6] = word_of(dead.identity());
  const Copy refused{folder.exe(), below(L"2")};
  EXPECT_EQ(refused.exit_code(), DWORD{3});
  EXPECT_TRUE(notes(refused, "^share_data: not joining: 1 live and 1 joining, --max 2\n$"));
  const Copy joined{folder.exe(), below(L"3")};
  EXPECT_TRUE(shows(joined, 2));
}

TEST_F(Max, WhoWaitsForOneThatIsJoiningLeavesWhenAskedToAndJoinsWhenThereIsAPlace) {
  table.slots[5] = word_of(own_identity(), Mark::joining);
  const Copy copy{folder.exe(), via_mapping(name, {L"--max", L"1", L"--for", L"0.2"})};
  EXPECT_EQ(copy.exit_code(), DWORD{0}) << copy.notes();
  EXPECT_EQ(copy.output() + copy.notes(), "");
  EXPECT_EQ(table.slots[0], 0U);
  const Copy joins{folder.exe(), below(L"1")};
  Sleep(200);
  EXPECT_EQ(table.look().live, 0U);
  joins.suspend();
  Sleep(2200);  // longer than it waits, but it does not get on with it
  joins.resume();
  table.slots[5] = 0;
  EXPECT_TRUE(shows(joins, 1));
}

class Users : public TableInMapping {
 protected:
  /// Administrators may open any process, if they say so. From here on, neither we nor our children do.
  void SetUp() override {
    HANDLE token = nullptr;
    OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES, &token);
    const Handle guard{token};
    TOKEN_PRIVILEGES none{.PrivilegeCount = 1, .Privileges = {}};
    LookupPrivilegeValueW(nullptr, L"SeDebugPrivilege", &none.Privileges[0].Luid);
    AdjustTokenPrivileges(token, FALSE, &none, 0, nullptr, nullptr);
  }

  static bool can_open(const Copy& copy, DWORD right) {
    return Handle{OpenProcess(right, FALSE, copy.pid())} != nullptr;
  }
};

TEST_F(Users, AGuardedCopyLetsTheOthersSeeItsDeath) {
  const Copy other{folder.exe(), Start{.guarded = true, .suspended = true}};
  ASSERT_FALSE(can_open(other, SYNCHRONIZE)) << "it is not guarded";
  other.resume();
  const Copy copy{folder.exe()};
  ASSERT_TRUE(shows(copy, 2) && shows(other, 2));
  EXPECT_FALSE(can_open(other, PROCESS_TERMINATE)) << "more is allowed than to watch";
  other.terminate();
  EXPECT_TRUE(says(copy, "x " + std::to_string(other.pid()) + " was killed"));
  EXPECT_FALSE(matches(copy.notes(), "500 ms")) << copy.notes();
}

TEST_F(Users, TheEndOfAProcessThatMayNotBeOpenedIsSeenAllTheSame) {
  std::optional<Copy> other{std::in_place, folder.exe(), Start{.guarded = true, .suspended = true}};
  if (can_open(*other, SYNCHRONIZE)) GTEST_SKIP() << "we may open any process";
  table.slots[0] = word_of(make_identity(other->pid(), 7, true));  // as it would if it could not be opened
  table.slots[1] = word_of(make_identity(other->pid(), 8));        // killed; another process has its pid
  const Copy copy{folder.exe(), via_mapping(name)};
  EXPECT_TRUE(shows(copy, 2));
  EXPECT_TRUE(notes(copy, "looking at the table every 500 ms"));
  other.reset();
  EXPECT_TRUE(shows(copy, 1));
}

TEST_F(Garbage, ACopyWhoseSlotWasOverwrittenTakesAnotherOne) {
  const Copy first{folder.exe(), via_mapping(name)};
  ASSERT_TRUE(shows(first, 1));
  const Copy second{folder.exe(), via_mapping(name)};
  ASSERT_TRUE(shows(first, 2) && shows(second, 2));
  const Identity identity = identity_of(table.slots[0]);
  for (const Word word : {Word{0x0123'4567'89ab'cdefU}, Word{0}, word_of(identity, Mark::leaving),
                          word_of(identity, Mark::joining), word_of(identity, Mark{6})}) {
    for (auto& slot : table.slots) {
      if (slot == word_of(identity)) slot = word;
    }
    notify(table, Log{{}, 0});  // so that they look
    EXPECT_TRUE(eventually([&] { return std::ranges::count(table.look().slots, word_of(identity)) == 1; })) << word;
  }
  const Copy third{folder.exe(), via_mapping(name)};
  for (const Copy* copy : {&first, &second, &third}) EXPECT_TRUE(shows(*copy, 3));
}

TEST_F(Garbage, AnEventWhoseNameIsTakenStopsNobody) {
  table.id = 0x1234'5678'9abcU;
  const Handle squatter{CreateMutexW(nullptr, FALSE, L"Local\\share_data-0000123456789abc-1")};
  const Copy first{folder.exe(), via_mapping(name)};
  ASSERT_TRUE(shows(first, 1));
  EXPECT_TRUE(notes(first, "every 500 ms"));
  const Copy second{folder.exe(), via_mapping(name)};
  EXPECT_TRUE(shows(second, 2));
  EXPECT_TRUE(shows(first, 2));
}

TEST_F(Garbage, OfRandomBytesAllOverTheSectionCrashesNobodyAndLaterChangesPutTheCountRight) {
  for (std::uint32_t seed = 1; seed <= 3; ++seed) {
    Copies copies;
    start(copies, 3, folder.exe());
    ASSERT_TRUE(all_show(copies, 3));
    std::mt19937_64 random{seed};
    std::vector<std::uint64_t> words(sizeof(Table) / sizeof(std::uint64_t));
    std::ranges::generate(words, random);
    std::smatch match;
    const std::string text = copies.front().notes();
    ASSERT_TRUE(std::regex_search(text, match, std::regex{"SHARED at 0x([0-9a-f]+)"})) << text;
    auto* section = reinterpret_cast<void*>(std::stoull(match[1], nullptr, 16));
    ASSERT_NE(WriteProcessMemory(copies.front().process(), section, words.data(), sizeof(Table), nullptr), 0);
    start(copies, 1, folder.exe());
    EXPECT_TRUE(eventually([&] { return copies.back().count().has_value(); })) << copies.back().notes();
    copies.pop_front();  // the others wait for its end, whatever lies in the table
    EXPECT_TRUE(all_show(copies, 3));
  }
}

}  // namespace
}  // namespace share_data::test
