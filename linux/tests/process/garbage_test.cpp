// Anybody who may write to the segment can write anything into it. No copy crashes or hangs over it, and none sends a
// signal to a process that is named there.
#include <algorithm>
#include <span>

#include "copies.h"

namespace share_data::test {
namespace {

template <typename Object>
std::span<std::uint8_t> bytes_of(Object& object) {
  return {reinterpret_cast<std::uint8_t*>(&object), sizeof object};
}

void occupy_all(Table& table, Word owner) {
  for (Slot& slot : table.slots) occupy(slot, owner);
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
     [](Table& table, Word, Random& random) { std::ranges::generate(bytes_of(table.slots), std::ref(random)); }},
    {"ABystanderRuns", [](Table& table, Word bystander, Random&) { occupy_all(table, running_word(bystander)); }},
    {"ABystanderJoins", [](Table& table, Word bystander, Random&) { occupy_all(table, joining_word(bystander)); }}};

class Garbage : public CopiesTest, public testing::WithParamInterface<Kind> {};

TEST_P(Garbage, CrashesNobodyHoldsUpNobodyAndSignalsNobody) {
  Copies copies = start_together(3);
  const Bystander bystander;
  std::mt19937 random{seed()};
  for (int round = 0; round < 5 && segment_of(key()); ++round) {  // the last one out may have removed it
    {
      const RawSegment segment{key()};
      GetParam().write(segment.table(), bystander.tid(), random);
      segment.table().notify(Log{{}, 0});
    }
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

using MissingCopy = CopiesTest;

TEST_F(MissingCopy, ThatNoLineHasShownIsInNoLine) {
  Copy copy = start_alone();
  const Word dead = tid_of_the_dead();
  {
    const RawSegment segment{key()};  // which counts as a process that is attached
    for (const std::size_t slot : {5U, 6U}) occupy(segment.table().slots[slot], running_word(dead));
    segment.table().notify(Log{{}, 0});
    EXPECT_TRUE(eventually([&] { return segment.table().slots[6].owner == 0; })) << "within the same look";
  }
  Copy next = start();
  EXPECT_TRUE(all_show({&copy, &next}, 2));
  EXPECT_FALSE(contains(copy.output(), fmt::format("x {} ", dead))) << copy.output();
}

INSTANTIATE_TEST_SUITE_P(Such, Garbage, testing::ValuesIn(kinds), by_name);

}  // namespace
}  // namespace share_data::test
