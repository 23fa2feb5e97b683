// --status looks, and that is all it does. --explain tells each step as it happens, with what is really there.
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "copies.h"

namespace share_data::test {
namespace {

class Status : public CopiesTest {
 protected:
  [[nodiscard]] std::vector<std::byte> content() const {
    const RawSegment segment{key()};
    return {segment.bytes().begin(), segment.bytes().end()};
  }
};

TEST_F(Status, IsZeroIfNobodyRuns) {
  const Answer answer = ask_here({"--status"});
  EXPECT_EQ(answer.exit_code, 0);
  EXPECT_EQ(answer.output, "0 live\n");
  EXPECT_EQ(answer.notes, "");
  EXPECT_FALSE(segment_of(key())) << "looking creates nothing";
}

TEST_F(Status, OfLiveAndDeadCopiesDisturbsNobodyAndIsOneJsonObjectOnRequest) {
  Copies copies = start_together(3);
  EXPECT_TRUE(all_sleep(copies));
  const std::size_t length = copies[0].output().size();
  std::vector<std::byte> before = content();
  const auto object = nlohmann::json::parse(ask_here({"--status", "--json"}).output);
  EXPECT_EQ(object.at("live"), 3);
  EXPECT_EQ(object.at("plain"), 3);
  std::set<pid_t> pids;
  for (const auto& instance : object.at("instances")) {
    pids.insert(instance.at("pid").get<pid_t>());
    EXPECT_GE(instance.at("seconds").get<double>(), 0);
    EXPECT_LT(instance.at("seconds").get<double>(), 600);
  }
  EXPECT_EQ(pids, (std::set{copies[0].pid(), copies[1].pid(), copies[2].pid()}));
  EXPECT_EQ(content(), before);
  EXPECT_EQ(attached_to(key()), 3U);
  EXPECT_EQ(copies[0].output().size(), length);
  destroy(copies);
  before = content();
  EXPECT_EQ(ask_here({"--status"}).output, "0 live\n");
  EXPECT_EQ(content(), before);
}

TEST_F(Status, NamesAllWhoRunTheLongestRunningFirst) {
  Copies copies = start_together(3);
  suspend({&copies[1]});
  RawSegment{key()}.table().slots[1].joined -= 3'723'000'000'000;
  RawSegment{key()}.table().slots[2].joined += 3'600'000'000'000;  // the clock was set back
  const Answer answer = ask_here({"--status"});
  EXPECT_EQ(answer.exit_code, 0);
  const std::regex wanted{R"(3 live\n +PID +RUNNING\n +\d+ +1:02:\d\d\n +\d+ +0:00:\d\d\n +\d+ +0:00:00\n)"};
  EXPECT_TRUE(std::regex_match(answer.output, wanted)) << answer.output;
  for (const Copy& copy : copies) EXPECT_TRUE(contains(answer.output, fmt::format(" {} ", copy.pid())));
}

TEST_F(Status, StaysTrueWhileCopiesComeAndGo) {
  Copies copies = start_together(5);
  for (int i = 0; i < scaled(50); ++i) {
    const Copy passing = start({.options = {"--for", "0.005"}});
    const int live = live_on(ask_here({"--status"}).output).value_or(-1);
    EXPECT_TRUE(live == 5 || live == 6 || live == 7) << live;
  }
}

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

// What it says of a death is in the README, and compared there.
TEST_F(Explain, TellsTheStoryOfACopy) {
  Copy copy = start({.options = {"--explain"}});
  ASSERT_TRUE(all_show({&copy}, 1));
  const std::string pid = std::to_string(copy.pid());
  const std::string get = fmt::format(R"(shmget\({}, {}, )", key_text(), sizeof(Table));
  ASSERT_TRUE(explains(
      copy,
      {R"(set_robust_list\(0x[0-9a-f]+\): however this process ends, .*)", get + R"(\d+\) = No such file or directory)",
       get + fmt::format(R"(IPC_CREAT \| IPC_EXCL \| 0600\) = {})", segment()),
       fmt::format(R"(shmat\({}\) = 0x[0-9a-f]+: from here on, it is memory like any other)", segment()),
       fmt::format(R"(slot 0: 0 -> {}\|OWNER_DIED)", pid),
       fmt::format(R"(slot 0: {0}\|OWNER_DIED -> {0}\|WAITERS\|OWNER_DIED)", pid),
       "changes: 0 -> 1: all copies are notified",
       fmt::format(R"(slot 0: {0}\|WAITERS\|OWNER_DIED -> {0}\|WAITERS)", pid),
       "sleeping until changes is no longer 1, or a signal comes"}));
  const int removed = segment();
  remove_segment(key());
  Copy next = start({.options = {"--explain"}});
  EXPECT_TRUE(explains(next, {fmt::format("copies may be in segment {}, which was removed:", removed),
                              "changes: 1 -> 2: all copies are notified"}));
  ASSERT_TRUE(explains(copy, {"woken by another copy: changes is now 2", fmt::format(R"(shmat\({}\) = .*)", segment()),
                              fmt::format(R"(slot 0: {}\|WAITERS -> 0)", pid)}));
  ASSERT_TRUE(all_show({&copy, &next}, 2));
  EXPECT_EQ(next.stop(), 0);
  ASSERT_TRUE(all_show({&copy}, 1));
  ASSERT_TRUE(all_wait_for_change({&copy}));
  EXPECT_EQ(copy.stop(), 0);
  EXPECT_TRUE(explains(
      copy, {"woken by a signal", R"(left\[\d+\] = slot \d+, \d+: I leave on my own)",
             R"(slot \d+: leaver = \d+: not counted from here on)", R"(shmctl\(\d+, IPC_RMID\): the key is free, .*)",
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
