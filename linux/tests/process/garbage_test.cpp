// Anybody who may write to the segment can write anything into it. No copy crashes or hangs over it, none sends
// a signal to a process that is named there, and the count is right again after the next change.
#include "garbage.h"

#include <algorithm>

#include "child.h"
#include "copies.h"

namespace share_data::test {
namespace {

class Garbage : public CopiesTest {
 protected:
  void SetUp() override {
    CopiesTest::SetUp();
    copies = start_together(3);
  }
  void TearDown() override {
    copies.clear();  // before the segment is removed: they would create another one
    CopiesTest::TearDown();
  }

  /// Writes something into the live segment, as another process would, and wakes everybody to see it.
  void write_garbage(const std::function<void(Table&)>& write) const {
    write(RawSegment{key()}.table());
    change();
  }

  static void fill_slots(Table& table, Word owner) {
    for (Slot& slot : table.slots) occupy(slot, owner);
    table.used = slot_count;
  }

  /// The next change.
  void change() const { RawSegment{key()}.table().notify(Log{{}, 0}); }

  /// There always is a next change. What it tells may be that the table has healed.
  [[nodiscard]] testing::AssertionResult all_show_again() {
    const int count = static_cast<int>(copies.size());
    const auto shows_it = [&](Copy& copy) { return copy.shown() == count; };
    const bool healed = eventually([&] {
      change();
      std::this_thread::sleep_for(std::chrono::milliseconds{30});
      return RawSegment{key()}.table().look().live == copies.size() && std::ranges::all_of(copies, shows_it);
    });
    if (healed) return testing::AssertionSuccess();
    return testing::AssertionFailure() << ask_here({"--status", "--explain"}).output.substr(0, 5000) << copies[0].pid()
                                       << " says:\n"
                                       << copies[0].output() << copies[0].notes();
  }

  /// Nobody has been harmed, nobody has lost sleep, and the copies go on as if nothing had happened.
  void expect_healed() {
    ASSERT_TRUE(all_show_again());
    EXPECT_TRUE(all_sleep(copies));
    EXPECT_TRUE(bystander.is_unharmed());
    take(copies, copies.size() - 1).destroy();
    EXPECT_TRUE(all_show(copies));
    expect_clean_end(copies);
    EXPECT_TRUE(bystander.is_unharmed());
  }

  Copies copies;
  Bystander bystander;
};

class AnyGarbage : public Garbage, public testing::WithParamInterface<GarbageKind> {};

TEST_P(AnyGarbage, IsGotOver) {
  Words words{.random = std::mt19937{seed()}, .copy = 0, .bystander = tid_of_the_dead()};
  for (std::size_t round = 0; round < 5; ++round) {
    words.copy = static_cast<Word>(copies[round % copies.size()].pid());
    write_garbage([&](Table& table) { GetParam().write(table, words); });
    if (round == 0 && !GetParam().hides) copies.push_back(start());
    ASSERT_TRUE(all_show_again());
  }
  expect_healed();
}

INSTANTIATE_TEST_SUITE_P(Such, AnyGarbage, testing::ValuesIn(garbage_kinds), [](const auto& test) {
  std::string name = test.param.what;
  std::ranges::replace(name, ' ', '_');
  return name;
});

TEST_F(Garbage, ACopyThatIsKilledWhileTheTableHealsIsNotCounted) {
  write_garbage([](Table& table) { std::ranges::fill(bytes_of(table), 0xff); });
  take(copies, 2).destroy();
  expect_healed();
}

TEST_F(Garbage, ADestroyedMagicKeepsNewcomersOutAndTheOthersTogether) {
  write_garbage([&](Table& table) { table.magic = 42; });
  EXPECT_TRUE(failed(ask_here({}), 1, "another program's data"));
  expect_healed();
}

TEST_F(Garbage, EveryWordOfTheHeader) {
  for (const Word value : {~0U, 0U, 1U, bystander.tid()}) {
    for (const auto word : {&Table::key, &Table::gathered, &Table::used, &Table::changes}) {
      write_garbage([&](Table& table) { table.*word = value; });
      copies.push_back(start());
      ASSERT_TRUE(all_show_again());
      EXPECT_EQ(take(copies, 3).stop(), 0);
    }
  }
  expect_healed();
}

TEST_F(Garbage, WordsOfNobody) {
  for (const Word word : {Word{FUTEX_OWNER_DIED}, Word{FUTEX_WAITERS}, marked_word, running_word(0x3fff'ffff),
                          joined_word(0x2000'0000), tid_of_the_dead(), running_word(tid_of_the_dead())}) {
    write_garbage([&](Table& table) { fill_slots(table, word); });
    EXPECT_TRUE(all_show_again()) << to_text(word);
  }
  expect_healed();
}

TEST_F(Garbage, WordsThatCountForNothingHideNoDeath) {
  for (const Word garbage : {joined_word(0x2000'0000), running_word(0x2000'0000)}) {
    write_garbage([&](Table& table) {
      for (std::uint32_t i = 3; i < slot_count; ++i) table.slots[i].owner = garbage;  // the copies have the first three
      table.used = slot_count;
    });
    ASSERT_TRUE(all_show_again());
    // The one in the highest slot: in a large crowd, copies watch those below their own.
    const View view = RawSegment{key()}.table().look();
    const auto highest = std::find_if(view.slots.rbegin(), view.slots.rend(), is_counted);
    const auto has_it = [&](const Copy& copy) { return static_cast<Word>(copy.pid()) == tid_of(highest->owner); };
    take(copies, static_cast<std::size_t>(std::ranges::find_if(copies, has_it) - copies.begin())).destroy();
    EXPECT_TRUE(all_show(copies));
  }
  expect_clean_end(copies);
}

TEST_F(Garbage, InAnAlarmWordOfAStoppedCopyKeepsNobodyAwake) {
  suspend({&copies[1]});
  write_garbage([&](Table& table) { own_slot(table, static_cast<Word>(copies[1].pid())).alarms[0].word = 42; });
  EXPECT_TRUE(all_sleep({&copies[0], &copies[2]}));
  copies[1].signal(SIGCONT);
  expect_healed();
}

TEST_F(Garbage, ACopyInSeveralSlotsCountsOnce) {
  for (const Copy& copy : copies) {
    write_garbage([&](Table& table) {
      for (std::uint32_t i = 0; i < 40; i += 3) occupy(table.slots[i], running_word(static_cast<Word>(copy.pid())));
      table.used = 40;
    });
    EXPECT_TRUE(all_show_again());
  }
  expect_healed();
}

TEST_F(Garbage, TheTidOfALivingBystanderInOneSlot) {
  write_garbage([&](Table& table) {
    occupy(table.slots[1000], running_word(bystander.tid()));
    table.used = slot_count;
  });
  EXPECT_TRUE(eventually([&] { return copies[0].shown() >= 3; }));
  EXPECT_TRUE(bystander.is_unharmed());
  bystander.end();
  EXPECT_TRUE(all_show_again()) << "at the latest when the bystander is gone";
}

TEST_F(Garbage, TheTidOfALivingBystanderInAllSlots) {
  write_garbage([&](Table& table) { fill_slots(table, running_word(bystander.tid())); });
  for (Copy& copy : copies) {
    // There is no room left. Whether a copy stays or gives up, it does not hang.
    copy.signal(SIGTERM);
    EXPECT_GE(copy.exit_code().value_or(-1), 0) << copy.notes();
  }
  EXPECT_TRUE(bystander.is_unharmed());
  bystander.end();
  Copy fresh = start();
  EXPECT_EQ(fresh.shown_first(), 1);
  expect_clean_end({&fresh});
}

TEST_F(Garbage, ALivingProcessThatSeemsToBeJoiningHoldsUpNobodyForLong) {
  write_garbage([&](Table& table) {
    occupy(table.slots[3], joining_word(bystander.tid()));
    table.used = 4;
  });
  EXPECT_EQ(ask_here({"--max", "3"}).exit_code, 3);
  EXPECT_TRUE(failed(ask_here({"--max", "4"}), 3, "not joining: 3 live and 1 joining, --max 4"));
  copies.push_back(start({.options = {"--max", "5"}}));
  expect_healed();
}

TEST_F(Garbage, StatusLooksAtAnything) {
  std::mt19937 random{seed()};
  const RawSegment segment{key()};
  for (int round = 0; round < 10; ++round) {
    for (Slot& slot : segment.table().slots) {
      slot.owner = static_cast<Word>(random());
      slot.joined = static_cast<std::int64_t>(random()) << 32U;
    }
    segment.table().used = static_cast<std::uint32_t>(random());
    EXPECT_EQ(ask_here({"--status", "--json"}).exit_code, 0);
    EXPECT_EQ(ask_here({"--status", "--explain"}).exit_code, 0);
  }
  EXPECT_TRUE(bystander.is_unharmed());
}

}  // namespace
}  // namespace share_data::test
