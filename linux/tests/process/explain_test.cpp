// --explain: each step as it happens, with what is really there. Nothing else changes.
#include <algorithm>
#include <regex>

#include "copies.h"

namespace share_data::test {
namespace {

class Explain : public CopiesTest {
 protected:
  /// Waits until the notes contain these steps in this order. Each is a regular expression for the rest of a line.
  static testing::AssertionResult explains(Copy& copy, const std::vector<std::string>& steps) {
    std::string missing;
    const bool all = eventually([&] {
      const std::string& notes = copy.notes();
      auto from = notes.begin();
      for (const std::string& step : steps) {
        std::smatch match;
        missing = fmt::format(R"(\[{}\] {}\n)", copy.pid(), step);
        if (!std::regex_search(from, notes.end(), match, std::regex{missing})) return false;
        from = match[0].second;
      }
      return true;
    });
    return testing::AssertionResult{all} << "looked for: " << missing << "\n" << copy.notes();
  }

  [[nodiscard]] int segment() const { return RawSegment{key()}.id(); }
};

TEST_F(Explain, TellsTheStoryOfACopy) {
  Copy copy = start({.options = {"--explain"}});
  ASSERT_TRUE(all_show({&copy}, 1));
  const std::string self = fmt::format(R"({}\|WAITERS)", copy.pid());
  ASSERT_TRUE(explains(
      copy,
      {R"(set_robust_list\(0x[0-9a-f]+\): however this process ends, .*)",
       fmt::format(R"(shmget\({}, {}, \d+\) = No such file or directory)", key_text(), sizeof(Table)),
       fmt::format(R"(shmget\({}, {}, IPC_CREAT \| IPC_EXCL \| 0600\) = {})", key_text(), sizeof(Table), segment()),
       fmt::format(R"(shmat\({}\) = 0x[0-9a-f]+: from here on, it is memory like any other)", segment()),
       fmt::format(R"(slot 0: 0 -> {}\|OWNER_DIED)", copy.pid()),
       fmt::format(R"(slot 0: {}\|OWNER_DIED -> {}\|OWNER_DIED)", copy.pid(), self),
       "changes: 0 -> 1: all copies are notified", fmt::format(R"(slot 0: {0}\|OWNER_DIED -> {0})", self),
       "sleeping until changes is no longer 1, or a signal comes"}));

  Copy other = start();
  ASSERT_TRUE(explains(copy, {"woken by another copy: changes is now 2",
                              "sleeping until changes is no longer 2, the kernel marks slot 1, or a signal comes"}));
  other.destroy();
  ASSERT_TRUE(explains(
      copy,
      {fmt::format(R"(woken by the kernel: slot 1 was {}\|WAITERS.*, and is now WAITERS\|OWNER_DIED)", other.pid()),
       "changes: 2 -> 3: all copies are notified", R"(slot 1: WAITERS\|OWNER_DIED -> 0)",
       fmt::format("compared with the look before: {} is not there any more, and not in the list of those that left",
                   other.pid()),
       "sleeping until changes is no longer 3, or a signal comes"}));

  const int removed = segment();
  remove_segment(key());
  Copy next = start({.options = {"--explain"}});
  EXPECT_TRUE(explains(next, {fmt::format("copies may be in segment {}, which was removed:", removed),
                              "changes: 3 -> 4: all copies are notified"}));
  ASSERT_TRUE(explains(copy, {fmt::format(R"(shmat\({}\) = .*)", segment()), fmt::format("slot 0: {} -> 0", self)}));
  ASSERT_TRUE(all_show({&copy, &next}, 2));
  EXPECT_EQ(next.stop(), 0);
  ASSERT_TRUE(all_show({&copy}, 1));
  ASSERT_TRUE(explains(copy, {"woken by the kernel: .*", "sleeping until changes is no longer .*, or a signal comes"}));
  const int last = segment();
  ASSERT_TRUE(all_wait_for_change({&copy}));
  EXPECT_EQ(copy.stop(), 0);
  EXPECT_TRUE(explains(copy, {"woken by a signal", R"(left\[\d+\] = slot \d+, \d+: I leave on my own)",
                              R"(slot \d+: leaver = \d+: not counted from here on)",
                              fmt::format(R"(shmctl\({}, IPC_RMID\): the key is free, .*)", last),
                              R"(changes: \d+ -> \d+: all copies are notified)"}));
  const auto is_about_the_count = [](const std::string& line) { return live_on(line).has_value(); };
  EXPECT_TRUE(std::ranges::all_of(copy.lines(), is_about_the_count)) << copy.output();
}

TEST_F(Explain, NothingIsExplainedUnasked) {
  Copies copies = start_together(2);
  copies[1].destroy();
  ASSERT_TRUE(all_show({&copies[0]}, 1));
  EXPECT_EQ(copies[0].stop(), 0);
  EXPECT_FALSE(contains(copies[0].notes(), "["));
}

TEST_F(Explain, WithStatusTheMemoryIsShownWordByWord) {
  Copies copies = start_together(3);
  // A copy is shown a moment before its owner word says that all copies have been notified.
  const auto not_notified = [](const Slot& slot) { return is_new(slot.owner); };
  ASSERT_TRUE(eventually([&] { return std::ranges::none_of(RawSegment{key()}.table().slots, not_notified); }));
  suspend(copies);
  std::vector<std::string> lines{"2 live\n"};
  {
    const RawSegment raw{key()};
    Table& table = raw.table();
    lines.push_back(fmt::format("segment {}, 176128 bytes, processes attached: 4, this one included\n", raw.id()));
    lines.push_back("magic       0x3354414452485303  ");
    lines.push_back(fmt::format("key         {}          ", key_text()));
    lines.push_back(fmt::format("changes     {:<18}  ", table.changes.load()));
    lines.push_back(fmt::format("plain       {:<18}  ", 3));
    lines.push_back(fmt::format("used        {:<18}  ", 3));
    for (std::uint32_t i = 0; i < 3; ++i) {
      const Word owner = table.slots[i].owner;
      if (tid_of(owner) == static_cast<Word>(copies[1].pid())) table.slots[i].leaver = tid_of(owner);
      const char* const meaning = table.slots[i].leaver == 0 ? "running; counted" : "leaving; not counted";
      lines.push_back(fmt::format("slot {}      {:<18}  {}\n", i, to_text(owner), meaning));
    }
    lines.push_back(fmt::format("            {:<18}  leaver: this copy leaves the slot on its own", copies[1].pid()));
  }
  const auto expect_shown = [&] {
    const Answer answer = ask_here({"--status", "--explain"});
    EXPECT_EQ(answer.exit_code, 0);
    EXPECT_EQ(answer.notes, "");
    for (const std::string& line : lines) EXPECT_TRUE(contains(answer.output, line));
  };
  expect_shown();
  copies[2].destroy();
  lines = {"1 live\n", "WAITERS|OWNER_DIED  marked: the copy has ended; not all copies have been notified\n"};
  expect_shown();
  // Whoever reads about a process in /proc keeps its memory for a moment after its end.
  ASSERT_TRUE(eventually([&] { return attached_to(key()) == 2; }));
  remove_segment(key());
  lines = {"1 live\n", " (removed), 176128 bytes, processes attached: 3"};
  expect_shown();
}

}  // namespace
}  // namespace share_data::test
