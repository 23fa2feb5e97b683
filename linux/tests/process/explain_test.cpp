// --explain: each step as it happens, with what is really there. Nothing else changes.
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
  const std::string size_of_table = fmt::format("{}, {}", key_text(), sizeof(Table));
  ASSERT_TRUE(explains(
      copy, {R"(set_robust_list\(0x[0-9a-f]+\): however this process ends, .*)",
             fmt::format(R"(shmget\({}, \d+\) = No such file or directory)", size_of_table),
             fmt::format(R"(shmget\({}, IPC_CREAT \| IPC_EXCL \| 0600\) = {})", size_of_table, segment()),
             fmt::format(R"(shmat\({}\) = 0x[0-9a-f]+: from here on, it is memory like any other)", segment()),
             fmt::format(R"(slot 0: 0 -> {}\|OWNER_DIED)", copy.pid()),
             fmt::format(R"(slot 0: {}\|OWNER_DIED -> {}\|OWNER_DIED)", copy.pid(), self),
             "changes: 0 -> 1: all copies are notified", fmt::format(R"(slot 0: {0}\|OWNER_DIED -> {0})", self),
             "sleeping until changes is no longer 1, or a signal comes"}));

  Copy other = start();
  ASSERT_TRUE(explains(copy, {"woken by another copy: changes is now 2",
                              "sleeping until changes is no longer 2, the kernel marks slot 1, or a signal comes"}));
  other.destroy();  // what it says then is in the README, and compared there
  ASSERT_TRUE(explains(copy, {"sleeping until changes is no longer 3, or a signal comes"}));
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
  for (const std::string& line : copy.lines()) EXPECT_TRUE(live_on(line)) << "only the count: " << line;
}

TEST_F(Explain, WithStatusTheMemoryIsShownWordByWord) {
  const auto expect_shown = [&](const std::vector<std::string>& parts) {
    const Answer answer = ask_here({"--status", "--explain"});
    EXPECT_EQ(answer.exit_code, 0);
    EXPECT_EQ(answer.notes, "");
    for (const std::string& part : parts) EXPECT_TRUE(contains(answer.output, part));
  };
  Copies copies = start_in_order(3);
  ASSERT_TRUE(all_show(copies));
  EXPECT_TRUE(all_sleep(copies));
  suspend(copies);
  {
    const RawSegment raw{key()};
    raw.table().slots[1].leaver = copies[1].tid();
    expect_shown({"2 live\n",
                  fmt::format("segment {}, 176128 bytes, processes attached: 5, this one included\n", raw.id()),
                  "magic       0x3354414452485303  ", fmt::format("key         {}          ", key_text()),
                  fmt::format("changes     {:<18}  ", raw.table().changes.load()), "plain       3                   ",
                  "used        3                   ",
                  fmt::format("slot 0      {:<18}  running; counted\n", to_text(running_word(copies[0].tid()))),
                  fmt::format("slot 1      {:<18}  leaving; not counted\n", to_text(running_word(copies[1].tid()))),
                  fmt::format("            {:<18}  leaver: this copy leaves the slot on its own", copies[1].pid())});
  }
  copies[2].destroy();
  // Whoever reads about a process in /proc keeps its memory for a moment after its end.
  ASSERT_TRUE(eventually([&] { return attached_to(key()) == 2; }));
  remove_segment(key());
  expect_shown({"1 live\n", " (removed), 176128 bytes, processes attached: 3",
                "WAITERS|OWNER_DIED  marked: the copy has ended; not all copies have been notified\n"});
}

}  // namespace
}  // namespace share_data::test
