// Memory that somebody has written over, and names that somebody has taken.
#include <gtest/gtest.h>

#include <windows.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <random>
#include <regex>
#include <string>
#include <vector>

#include "copy.h"
#include "identity.h"
#include "shared_memory.h"
#include "wait.h"
#include "win32.h"

namespace share_data::test {
namespace {

/// The identity of a process that is no more.
Identity somebody_dead() {
  const Folder folder;
  const Copy copy{folder.exe(), Start{.suspended = true}};
  const auto found = identity_of_pid(copy.pid());
  copy.terminate();
  return found.value_or(Identity::nobody);
}

std::vector<std::uint64_t> random_words(std::uint32_t seed) {
  std::mt19937_64 random{seed};
  std::vector<std::uint64_t> words(sizeof(Table) / sizeof(std::uint64_t));
  std::ranges::generate(words, random);
  return words;
}

/// Writes over the whole section of a running copy, and so of all that share it.
void write_section(const Copy& copy, const std::vector<std::uint64_t>& words) {
  std::smatch match;
  const std::string note = copy.notes();
  ASSERT_TRUE(std::regex_search(note, match, std::regex{"SHARED at 0x([0-9a-f]+)"})) << note;
  auto* address = reinterpret_cast<void*>(std::stoull(match[1], nullptr, 16));
  SIZE_T written = 0;
  ASSERT_NE(WriteProcessMemory(copy.process(), address, words.data(), sizeof(Table), &written), 0) << GetLastError();
}

/// A table in a mapping, and copies that share it.
class Garbage : public testing::Test {
 protected:
  [[nodiscard]] Table& table() const { return *mapping_.table; }
  [[nodiscard]] std::unique_ptr<Copy> start(std::vector<std::wstring> more = {}) const {
    std::vector<std::wstring> arguments{L"--via", L"mapping", L"--name", to_utf16(name_)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return std::make_unique<Copy>(folder_.exe(), arguments);
  }
  /// Lets the copies have a look.
  void let_them_look() const { notify(table(), Log{{}, 0}); }

 private:
  Folder folder_;
  std::string name_ = to_utf8(unique_name());
  SharedMemory mapping_ = open_or_create_mapping(name_, Log{{}, 0});
};

TEST_F(Garbage, ASlotThatWasOverwrittenIsClaimedAgain) {
  const auto first = start();
  const auto second = start();
  ASSERT_TRUE(eventually([&] { return first->shows() == 2U && second->shows() == 2U; }));
  table().slots[0] = 0x0123'4567'89ab'cdefU;
  let_them_look();
  EXPECT_TRUE(eventually([&] { return table().slots[0] != 0x0123'4567'89ab'cdefU; }));
  EXPECT_TRUE(eventually([&] { return table().look().live == 2; }));
  const auto third = start();
  EXPECT_TRUE(eventually([&] { return first->shows() == 3U && second->shows() == 3U && third->shows() == 3U; }))
      << first->output() << second->output() << third->output();
}

TEST_F(Garbage, AllZerosInTheSlots) {
  const auto first = start();
  const auto second = start();
  const auto third = start();
  ASSERT_TRUE(eventually([&] { return first->shows() == 3U && second->shows() == 3U && third->shows() == 3U; }));
  for (auto& slot : table().slots) slot = 0;
  third->terminate();
  EXPECT_TRUE(eventually([&] { return first->shows() == 2U && second->shows() == 2U; }))
      << first->output() << second->output();
}

TEST_F(Garbage, SlotsOfTheDeadAreTakenOut) {
  const auto first = start();
  ASSERT_TRUE(eventually([&] { return first->shows() == 1U; }));
  const Identity dead = somebody_dead();
  table().slots[6] = word_of(dead, Mark::joining);
  table().slots[7] = word_of(dead, Mark::leaving);
  table().slots[8] = word_of(dead, Mark::notifying);
  let_them_look();
  EXPECT_TRUE(eventually([&] { return table().slots[6] == 0 && table().slots[7] == 0 && table().slots[8] == 0; }));
}

TEST_F(Garbage, ACopyThatSeemsToLeaveIsCountedAgain) {
  const auto first = start();
  ASSERT_TRUE(eventually([&] { return first->shows() == 1U; }));
  for (const Mark mark : {Mark::leaving, Mark::joining, Mark{6}}) {
    for (auto& slot : table().slots) {
      if (slot != 0) slot = word_of(identity_of(slot), mark);
    }
    let_them_look();
    EXPECT_TRUE(eventually([&] { return table().look().live == 1; })) << to_text(table().slots[0]);
  }
}

TEST_F(Garbage, EveryWordOfTheHeader) {
  auto first = start();
  const auto second = start();
  const auto third = start();
  ASSERT_TRUE(eventually([&] { return first->shows() == 3U && second->shows() == 3U && third->shows() == 3U; }));
  table().id = 0x0123'4567'89ab'cdefU;
  table().changes = 0xffff'ffffU;
  const auto newcomer = start();
  ASSERT_TRUE(eventually([&] { return newcomer->shows() == 4U; })) << newcomer->output();
  first.reset();
  EXPECT_TRUE(eventually([&] { return second->shows() == 3U && third->shows() == 3U && newcomer->shows() == 3U; }))
      << second->output() << third->output() << newcomer->output();
}

TEST_F(Garbage, WordsOfNobody) {
  for (std::size_t i = 100; i < 400; ++i) table().slots[i] = random_words(5)[i] & 0x3fff'ffff'ffff'ffffU;
  const auto newcomer = start();
  EXPECT_TRUE(eventually([&] { return newcomer->shows().has_value(); })) << newcomer->notes();
  EXPECT_NE(newcomer->output().find(" 1 live  joined"), std::string::npos) << newcomer->output();
}

TEST_F(Garbage, ADeadProcessThatSeemsToBeJoiningHoldsUpNobody) {
  table().slots[0] = word_of(somebody_dead(), Mark::joining);
  const auto first = start({L"--max", L"1"});
  EXPECT_TRUE(eventually([&] { return first->shows() == 1U; })) << first->notes();
}

TEST_F(Garbage, ALivingProcessThatSeemsToBeJoiningHoldsUpNobodyForLong) {
  table().slots[0] = word_of(own_identity(), Mark::joining);  // this process will not get on with it
  const auto refused = start({L"--max", L"1"});
  EXPECT_EQ(refused->exit_code(), DWORD{3});
  const auto first = start({L"--max", L"2"});
  EXPECT_TRUE(eventually([&] { return first->shows() == 1U; })) << first->notes();
}

TEST_F(Garbage, ADestroyedMagicKeepsNewcomersOut) {
  table().magic = 42;
  const auto copy = start();
  EXPECT_EQ(copy->exit_code(), DWORD{1});
  EXPECT_NE(copy->notes().find("not ours"), std::string::npos) << copy->notes();
}

TEST(GarbageInTheSection, RandomBytesAllOver) {
  const Folder folder;
  for (std::uint32_t seed = 1; seed <= 3; ++seed) {
    const Copy first{folder.exe()};
    const Copy second{folder.exe()};
    const Copy third{folder.exe()};
    ASSERT_TRUE(eventually([&] { return first.shows() == 3U && second.shows() == 3U && third.shows() == 3U; }))
        << first.output() << second.output() << third.output();
    write_section(first, random_words(seed));
    const Copy newcomer{folder.exe()};
    EXPECT_TRUE(eventually([&] { return newcomer.shows().has_value(); })) << newcomer.notes();
    third.terminate();  // the others wait for its end, whatever lies in the table
    EXPECT_TRUE(eventually([&] { return newcomer.shows() == 3U && first.shows() == 3U && second.shows() == 3U; }))
        << first.output() << second.output() << newcomer.output() << newcomer.notes();
  }
}

TEST_F(Garbage, AnEventWhoseNameIsTakenStopsNobody) {
  table().id = 0x1234'5678'9abcU;
  const std::wstring name = L"Local\\share_data-0000123456789abc-";
  const Handle squatter{CreateMutexW(nullptr, FALSE, (name + L"1").c_str())};
  const auto first = start();
  ASSERT_TRUE(eventually([&] { return first->shows() == 1U; })) << first->notes();
  EXPECT_TRUE(eventually([&] { return first->notes().find("every 500 ms") != std::string::npos; })) << first->notes();
  const auto second = start();
  EXPECT_TRUE(eventually([&] { return second->shows() == 2U && first->shows() == 2U; })) << first->output();
}

}  // namespace
}  // namespace share_data::test
