// Memory that somebody has written over, names that somebody has taken, and work that the dead have left
// undone.
#include <gtest/gtest.h>

#include <windows.h>

#include <algorithm>
#include <memory>
#include <random>
#include <regex>
#include <string>
#include <vector>

#include "bell.h"
#include "copies.h"
#include "identity.h"
#include "named_mapping.h"
#include "unicode.h"

namespace share_data::test {
namespace {

/// The identity of a process that is no more.
Identity somebody_dead() {
  const Folder folder;
  const Copy copy{folder.exe(), {L"--version"}};
  const auto processes = running_processes();
  (void)copy.exit_code();
  const auto found = std::ranges::find(processes, copy.pid(), pid_of);
  return found == processes.end() ? make_identity(copy.pid(), 1) : *found;
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
class Damage : public testing::Test {
 protected:
  [[nodiscard]] Table& table() const { return mapping_.table(); }
  [[nodiscard]] std::unique_ptr<Copy> start(std::vector<std::wstring> more = {}) const {
    std::vector<std::wstring> arguments{L"--via", L"mapping", L"--name", to_utf16(name_)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return std::make_unique<Copy>(folder_.exe(), arguments);
  }
  /// Lets the copies have a look.
  void ring_everybody() const { ring_all(table(), Identity::nobody); }

 private:
  Folder folder_;
  std::string name_ = to_utf8(unique_name());
  NamedMapping mapping_ = NamedMapping::open_or_create(name_);
};

TEST_F(Damage, OfOneSlotIsHealed) {
  const auto first = start();
  const auto second = start();
  ASSERT_TRUE(eventually([&] { return first->shows() == 2U && second->shows() == 2U; }));
  table().slots[0] = 0x0123'4567'89ab'cdefU;
  ring_everybody();
  EXPECT_TRUE(eventually([&] { return table().slots[0] != 0x0123'4567'89ab'cdefU; }));
  EXPECT_TRUE(eventually([&] { return count_live(table().look()) == 2; }));
  const auto third = start();
  EXPECT_TRUE(eventually([&] { return first->shows() == 3U && second->shows() == 3U && third->shows() == 3U; }))
      << first->output() << second->output() << third->output();
}

TEST_F(Damage, OfASlotThatIsWrittenTwiceIsHealed) {
  const auto first = start();
  ASSERT_TRUE(eventually([&] { return first->shows() == 1U; }));
  table().slots[9] = table().slots[0].load();
  ring_everybody();
  EXPECT_TRUE(eventually([&] { return count_live(table().look()) == 1; }));
}

TEST_F(Damage, OfACopyThatMovesOutOfTwoSlotsIntoOneIsShownAsOneLess) {
  const auto first = start();
  const auto second = start();
  ASSERT_TRUE(eventually([&] { return first->shows() == 2U && second->shows() == 2U; }));
  second->suspend();  // else it would keep to one slot by itself
  const auto processes = running_processes();
  const auto found = std::ranges::find(processes, second->pid(), pid_of);
  ASSERT_NE(found, processes.end());
  table().slots[9] = slot_of(*found);
  ring_everybody();
  EXPECT_TRUE(eventually([&] { return first->shows() == 3U; })) << first->output();
  for (auto& slot : table().slots) {
    if (slot == slot_of(*found)) slot = free_slot;
  }
  table().slots[11] = slot_of(*found);
  ring_everybody();
  EXPECT_TRUE(eventually([&] { return first->shows() == 2U; })) << first->output();
}

TEST_F(Damage, OfAllSlotsByZeroesIsHealedWithTheNextOneThatWakes) {
  const auto first = start();
  const auto second = start();
  const auto third = start();
  ASSERT_TRUE(eventually([&] { return first->shows() == 3U && second->shows() == 3U && third->shows() == 3U; }));
  for (auto& slot : table().slots) slot = 0;
  third->terminate();
  EXPECT_TRUE(eventually([&] { return first->shows() == 2U && second->shows() == 2U; }))
      << first->output() << second->output();
}

TEST_F(Damage, ByDeadLeaversIsSettledByTheLiving) {
  const auto first = start();
  ASSERT_TRUE(eventually([&] { return first->shows() == 1U; }));
  const Identity dead = somebody_dead();
  table().slots[7] = slot_of(dead, Mark::leaving);
  table().slots[8] = slot_of(dead, Mark::dying);
  ring_everybody();
  EXPECT_TRUE(eventually([&] { return table().slots[7] == free_slot; }));
  EXPECT_TRUE(eventually([&] { return table().slots[8] == slot_of(dead, Mark::tombstone); }));
}

TEST_F(Damage, IsNotShownByANewcomer) {
  for (std::size_t i = 100; i < 400; ++i) table().slots[i] = random_words(5)[i] & 0x3fff'ffff'ffff'ffffU;
  const auto newcomer = start();
  EXPECT_TRUE(eventually([&] { return newcomer->shows().has_value(); })) << newcomer->notes();
  EXPECT_NE(newcomer->output().find(" 1 live  joined"), std::string::npos) << newcomer->output();
}

TEST_F(Damage, OfTheAdmissionWordLetsTheNextOneIn) {
  table().admitting = 0xdead'beef'dead'beefU;
  const auto first = start({L"--max", L"1"});
  EXPECT_TRUE(eventually([&] { return first->shows() == 1U; })) << first->notes();
}

TEST_F(Damage, ByOneThatIsStoppedWhileItIsAdmittedIsTakenOverInTheEnd) {
  table().admitting = static_cast<std::uint64_t>(own_identity());  // this process will not get on with it
  const auto first = start({L"--max", L"1"});
  EXPECT_TRUE(eventually([&] { return first->shows() == 1U; })) << first->notes();
}

TEST_F(Damage, OfTheMagicIsRefused) {
  table().magic = 42;
  const auto copy = start();
  EXPECT_EQ(copy->exit_code(), DWORD{1});
  EXPECT_NE(copy->notes().find("not ours"), std::string::npos) << copy->notes();
}

TEST(DamagedSection, CrashesNobodyAndIsHealed) {
  const Folder folder;
  for (std::uint32_t seed = 1; seed <= 3; ++seed) {
    const Copy first{folder.exe()};
    const Copy second{folder.exe()};
    ASSERT_TRUE(eventually([&] { return first.shows() == 2U && second.shows() == 2U; })) << first.output();
    write_section(first, random_words(seed));
    const Copy newcomer{folder.exe()};
    EXPECT_TRUE(eventually([&] { return newcomer.shows() == 3U && first.shows() == 3U && second.shows() == 3U; }))
        << first.output() << second.output() << newcomer.output() << newcomer.notes();
  }
}

TEST(TakenBell, StopsNobody) {
  const Folder folder;
  const Copy copy{folder.exe(), Start{.suspended = true}};
  const auto processes = running_processes();
  const auto self = std::ranges::find(processes, copy.pid(), pid_of);
  ASSERT_NE(self, processes.end());
  const Handle squatter{CreateEventW(nullptr, TRUE, TRUE, bell_name(*self).c_str())};
  copy.resume();
  ASSERT_TRUE(eventually([&] { return copy.shows() == 1U; })) << copy.notes();
  EXPECT_NE(copy.notes().find("every 500 ms"), std::string::npos) << copy.notes();
  const Copy other{folder.exe()};
  EXPECT_TRUE(eventually([&] { return other.shows() == 2U && copy.shows() == 2U; })) << copy.output();
}

}  // namespace
}  // namespace share_data::test
