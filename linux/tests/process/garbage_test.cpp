// Anybody who may write to the segment can write anything into it. No copy crashes or hangs over it, and none sends a
// signal to a process that is named there.
#include <algorithm>
#include <span>

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
    const RawSegment segment{key()};
    write(segment.table());
    segment.table().notify(Log{{}, 0});
  }

  Copies copies;
  Bystander bystander;
};

template <typename Object>
std::span<std::uint8_t> bytes_of(Object& object) {
  return {reinterpret_cast<std::uint8_t*>(&object), sizeof object};
}

void occupy_all(Table& table, Word owner) {
  for (Slot& slot : table.slots) occupy(slot, owner);
  table.used = slot_count;
}

using Random = std::mt19937;

struct Kind {
  const char* name;
  void (*write)(Table& table, Word bystander, Random& random);
};

const Kind kinds[]{
    {"AllRandom", [](Table& table, Word, Random& random) { std::ranges::generate(bytes_of(table), std::ref(random)); }},
    {"AllZeros", [](Table& table, Word, Random&) { std::ranges::fill(bytes_of(table), 0); }},
    {"AllOnes", [](Table& table, Word, Random&) { std::ranges::fill(bytes_of(table), 0xff); }},
    {"RandomSlots",
     [](Table& table, Word, Random& random) {
       std::ranges::generate(bytes_of(table.slots), std::ref(random));
       table.used = ~0U;
     }},
    {"ABystanderRuns", [](Table& table, Word bystander, Random&) { occupy_all(table, running_word(bystander)); }},
    {"ABystanderJoins", [](Table& table, Word bystander, Random&) { occupy_all(table, joining_word(bystander)); }}};

class AnyGarbage : public Garbage, public testing::WithParamInterface<Kind> {};

TEST_P(AnyGarbage, CrashesNobodyHoldsUpNobodyAndSignalsNobody) {
  std::mt19937 random{seed()};
  for (int round = 0; round < 5 && segment_of(key()); ++round) {  // the last one out may have removed it
    write_garbage([&](Table& table) { GetParam().write(table, bystander.tid(), random); });
    for (const std::vector<std::string>& options : {std::vector<std::string>{"--status", "--json"},
                                                    {"--status", "--explain"},
                                                    {"--for", "0.01"},
                                                    {"--for", "0.01", "--max", "2"}}) {
      Copy answer = ask_here(options);
      EXPECT_TRUE(answer.exit_code() == 0 || answer.exit_code() == 1 || answer.exit_code() == 3)
          << answer.exit_code() << answer.notes();
    }
  }
  take(copies, 0).destroy();
  for (Copy& copy : copies) {
    const int code = copy.stop();  // there may be no room left for it
    EXPECT_TRUE(code == 0 || code == 1) << code << copy.notes();
  }
  EXPECT_TRUE(bystander.is_unharmed());
}

INSTANTIATE_TEST_SUITE_P(Such, AnyGarbage, testing::ValuesIn(kinds), by_name);

TEST_F(Garbage, ACopyWhoseSlotWasOverwrittenTakesAnotherOne) {
  const auto has_slot = [&](const Copy& copy) {
    const RawSegment segment{key()};
    return std::ranges::count(segment.table().look().slots, running_word(copy.tid()), &SeenSlot::owner) == 1;
  };
  for (const Word garbage : {Word{0}, marked_word, running_word(tid_of_the_dead()), joining_word(copies[0].tid())}) {
    write_garbage([&](Table& table) {
      for (std::uint32_t i = 0; i < table.used; ++i) table.slots[i].owner = garbage;
    });
    EXPECT_TRUE(eventually([&] { return std::ranges::all_of(copies, has_slot); })) << to_text(garbage);
    EXPECT_TRUE(all_show(copies));
  }
  EXPECT_TRUE(all_sleep(copies));
  take(copies, 2).destroy();
  expect_all_is_well(copies);
}

TEST_F(Garbage, InAnAlarmWordOfAStoppedCopyKeepsNobodyAwake) {
  suspend({&copies[0]});
  write_garbage([&](Table& table) {
    for (Slot& slot : table.slots) slot.alarms[0].word = slot.owner == running_word(copies[0].tid()) ? 42 : 0;
  });
  EXPECT_TRUE(all_sleep({&copies[1], &copies[2]}));
}

}  // namespace
}  // namespace share_data::test
