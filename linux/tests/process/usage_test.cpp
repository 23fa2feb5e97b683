// The command line: what is wrong is said and touches nothing; --status looks, and that is all it does; --explain tells
// each step as it happens.
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "copies.h"
#include "faults.h"

namespace share_data::test {
namespace {

using Usage = CopiesTest;

TEST_F(Usage, WrongOptionsTouchNothing) {
  const std::map<std::string, std::vector<std::string>> wrong_values{
      {"", {"--nonsense", "-x", "stray", "--for", "--for=", "--max", "--color", "--color="}},
      {"--for", {"0", "-1", "soon", "1s", "nan", "inf"}},
      {"--max", {"0", "00", "-1", "+1", "1.5", "many", "99999999999"}},
      {"--color", {"sometimes"}},
      {"--status", {"--for 1", "--max 1", "--explain --json"}},
      {"--key", {"", "0", "0x", "0x0", "-1", "ten", "10x", "0x1g", "4294967296", "0x100000000", "1.0"}},
      {"--via", {"mapping"}},
      {"--name", {"x"}}};
  for (const auto& [option, values] : wrong_values) {
    for (const std::string& value : values) {
      std::istringstream words{option + " " + value};
      const std::vector<std::string> options{std::istream_iterator<std::string>{words}, {}};
      Copy answer = option == "--key" ? Copy{0, {.options = {"--for", "0.01", option, value}}} : ask_here(options);
      SCOPED_TRACE(words.str() + " says " + answer.notes());
      EXPECT_EQ(answer.exit_code(), 2);
      EXPECT_EQ(answer.output(), "");
      EXPECT_EQ(answer.notes().find("share_data: "), 0U);
      EXPECT_FALSE(segment_of(key()));
    }
  }
}

TEST_F(Usage, AKeyIsDecimalOrHexadecimalAndCopiesUnderAnotherOneCountApart) {
  const auto number = static_cast<std::uint32_t>(key());
  Copies copies;
  for (const std::string& text : {std::to_string(number), key_text(), "00" + std::to_string(number)}) {  // not octal
    copies.emplace_back(0, Launch{.options = {"--key", text, "--max", "010"}});
    ASSERT_TRUE(all_show(copies));
  }
  const auto other_key = static_cast<key_t>(number ^ 0x8000'0000U);
  Copy other{other_key};
  EXPECT_TRUE(other.prints("1 live  joined"));
  EXPECT_TRUE(all_show(copies));
  EXPECT_TRUE(remove_segment(other_key));
  EXPECT_EQ(live_on(ask_here({"--status"}).output()), 3) << "nor in a removed segment";
  EXPECT_EQ(other.stop(), 0);
  EXPECT_FALSE(segment_of(other_key));
}

TEST_F(Usage, HelpLeadsWithExamplesAndEndsWithTheExitCodesAndTheVersionIsOneLine) {
  Copy answer = ask_here({"--help"});
  EXPECT_EQ(answer.exit_code(), 0);
  EXPECT_EQ(answer.notes(), "");
  const auto examples = answer.output().find("Examples:");
  const auto options = answer.output().find("--for");
  const auto exit_codes = answer.output().find("Exit codes:");
  EXPECT_LT(examples, options);
  EXPECT_LT(options, exit_codes);
  EXPECT_NE(exit_codes, std::string::npos);
  EXPECT_EQ(answer.output().find(SHARE_DATA_PROGRAM), std::string::npos) << "no full path";
  EXPECT_FALSE(segment_of(key()));
  EXPECT_EQ(ask_here({"--version"}).output(), "share_data " SHARE_DATA_VERSION "\n");
}

using Status = CopiesTest;

TEST_F(Status, OfNobodyAndOfLiveAndDeadCopiesDisturbsNobodyAndIsOneJsonObjectOnRequest) {
  EXPECT_EQ(ask_here({"--status"}).output(), "0 live\n");
  EXPECT_FALSE(segment_of(key())) << "looking creates nothing";
  Copies copies = start_together(3);
  EXPECT_TRUE(all_sleep(copies));
  const std::size_t length = copies[0].output().size();
  const auto content = [&] {
    const RawSegment segment{key()};
    return std::vector<std::byte>{segment.bytes().begin(), segment.bytes().end()};
  };
  std::vector<std::byte> before = content();
  const auto object = nlohmann::json::parse(ask_here({"--status", "--json"}).output());
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
  RawSegment{key()}.table().slots[5].owner = running_word(tid_of_the_dead());  // its mark was lost
  before = content();
  Copy answer = ask_here({"--status"});
  EXPECT_EQ(answer.exit_code(), 0);
  EXPECT_EQ(answer.output(), "0 live\n");
  EXPECT_EQ(answer.notes(), "");
  EXPECT_EQ(content(), before);
}

TEST_F(Status, NamesAllWhoRunTheLongestRunningFirst) {
  Copies copies = start_together(3);
  suspend({&copies[1]});
  RawSegment{key()}.table().slots[1].joined -= 3'723'000'000'000;
  RawSegment{key()}.table().slots[2].joined += 3'600'000'000'000;  // the clock was set back
  Copy answer = ask_here({"--status"});
  EXPECT_EQ(answer.exit_code(), 0);
  const std::regex wanted{R"(3 live\n +PID +RUNNING\n +\d+ +1:02:\d\d\n +\d+ +0:00:\d\d\n +\d+ +0:00:00\n)"};
  EXPECT_TRUE(std::regex_match(answer.output(), wanted)) << answer.output();
  for (const Copy& copy : copies) EXPECT_TRUE(contains(answer.output(), fmt::format(" {} ", copy.pid())));
}

TEST_F(Status, OfCopiesThatMoveMeanwhileMissesNone) {
  if (!has_strace()) GTEST_SKIP() << "needs strace";
  Copies copies = start_together(2);
  Copy answer = start({.options = {"--status"}, .through = strace("shmat:delay_enter=500000:when=1")});
  EXPECT_TRUE(eventually([&] { return call_of(answer.pid()) == SYS_shmat; }));
  ASSERT_TRUE(remove_segment(key()));
  copies.push_back(start());
  ASSERT_TRUE(all_show(copies));
  EXPECT_EQ(answer.exit_code(), 0);
  EXPECT_EQ(live_on(answer.output()), 3);
}

// What it says of a death is in the README, and compared there.
using Explain = CopiesTest;

TEST_F(Explain, TellsTheStoryOfACopy) {
  Copy copy = start({.options = {"--explain", "--quiet"}});
  ASSERT_TRUE(all_show({&copy}, 1));
  ASSERT_TRUE(all_wait_for_change({&copy}));
  EXPECT_EQ(copy.stop(), 0);
  std::string notes = std::regex_replace(copy.notes(), std::regex{"0x[0-9a-f]+"}, "X");
  notes = std::regex_replace(notes, std::regex{R"(\d+)"}, "N");
  EXPECT_EQ(notes,
            R"([N] set_robust_list(X): however this process ends, the kernel marks the words that this list points at
[N] shmget(X, N, N) = No such file or directory
[N] shmget(X, N, IPC_CREAT | IPC_EXCL | N) = N
[N] shmat(N) = X: from here on, it is memory like any other
[N] slot N: N -> N|OWNER_DIED
[N] slot N: N|OWNER_DIED -> N|WAITERS|OWNER_DIED
[N] changes: N -> N: all copies are notified
[N] slot N: N|WAITERS|OWNER_DIED -> N|WAITERS
[N] sleeping until changes is no longer N, or a signal comes
[N] woken by a signal
[N] left[N] = slot N, N: I leave normally
[N] slot N: leaver = N: not counted from here on
[N] shmctl(N, IPC_RMID): the key is free, the memory goes with the last process that is attached
[N] changes: N -> N: all copies are notified
)");
}

TEST_F(Explain, WithStatusTheMemoryIsShownWordByWord) {
  const auto expect_shown = [&](const std::vector<std::string>& parts) {
    Copy answer = ask_here({"--status", "--explain"});
    EXPECT_EQ(answer.exit_code(), 0);
    EXPECT_EQ(answer.notes(), "");
    for (const std::string& part : parts) EXPECT_TRUE(contains(answer.output(), part));
  };
  Copies copies = start_in_order(3);
  ASSERT_TRUE(all_show(copies));
  EXPECT_TRUE(all_sleep(copies));
  suspend(copies);
  {
    const RawSegment raw{key()};
    raw.table().slots[1].leaver = copies[1].tid();
    expect_shown({"2 live\n",
                  fmt::format("segment {}, 53248 bytes, processes attached: 5, this one included\n", raw.id()),
                  fmt::format("key         {}          ", key_text()),
                  fmt::format("changes     {:<18}  ", raw.table().changes.load()), "plain       3                   ",
                  fmt::format("slot 0      {:<18}  running; counted\n", to_text(running_word(copies[0].tid()))),
                  fmt::format("slot 1      {:<18}  leaving; not counted\n", to_text(running_word(copies[1].tid())))});
  }
  copies[2].destroy();
  remove_segment(key());
  // Whoever reads about a process in /proc keeps its memory for a moment after its end.
  EXPECT_TRUE(eventually([&] {
    return contains(ask_here({"--status", "--explain"}).output(), " (removed), 53248 bytes, processes attached: 3");
  }));
  expect_shown({"1 live\n", "WAITERS|OWNER_DIED  marked: the copy has ended; not all copies have been notified\n"});
}

}  // namespace
}  // namespace share_data::test
