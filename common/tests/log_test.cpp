// The lines, to the letter: people read them, and scripts rely on them.
#include "log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <regex>
#include <string>
#include <utility>
#include <vector>

namespace share_data::test {
namespace {

using Kind = Event::Kind;

constexpr std::string_view noon = "12:00:00.007";

std::string text(const Event& event) { return Log{{.color = Color::never}, 4242}.lines(event, noon).at(0); }

std::vector<std::uint32_t> pids(std::uint32_t first, std::size_t count) {
  std::vector<std::uint32_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), first);
  return numbers;
}

TEST(TextLine, SaysWhatHasHappened) {
  const std::pair<Event, std::string> lines[]{
      {{.kind = Kind::joined, .live = 1, .plain = 1, .joined = {4242}}, "   1 live  joined"},
      {{.kind = Kind::left, .live = 3, .plain = 3, .left = {4242}}, "   3 live  left"},
      {{.kind = Kind::left, .left = {4242}, .remark = "last one out, segment removed"},
       "   0 live  left; last one out, segment removed"},
      {{.live = 2, .plain = 2, .joined = {4250}}, "   2 live  + 4250"},
      {{.live = 1, .plain = 1, .left = {4250}}, "   1 live  - 4250"},
      {{.live = 1, .plain = 1, .killed = {4250}}, "   1 live  x 4250 was killed"},
      {{.live = 1, .unknown = {4250}}, "   1 live  ? 4250"},
      {{.live = 5, .plain = 5, .joined = {1, 2}, .left = {3}, .killed = {4, 5}},
       "   5 live  + 1 2  - 3  x 4 5 were killed"},
      {{.live = 9, .plain = 9, .joined = pids(11, 8)}, "   9 live  + 11 12 13 14 15 16 17 18"},
      {{.live = 10, .plain = 10, .joined = pids(11, 9)}, "  10 live  + 11 12 13 14 15 16 17 18 and 1 more"},
      {{.live = 4096, .plain = 4096, .joined = {7}, .killed = pids(11, 31)},
       "4096 live  + 7  x 11 12 13 14 15 16 17 18 and 23 more were killed"},
  };
  for (const auto& [event, end] : lines) EXPECT_EQ(text(event), "12:00:00.007  [4242]  " + end + "\n");
}

TEST(TextLine, MentionsAPlainCounterOnlyIfItIsTooHighAndNoChangeIsOnItsWay) {
  const std::string mention = " (a plain ++/-- counter now says 3)\n";
  EXPECT_TRUE(text({.live = 2, .plain = 3, .killed = {4250}}).ends_with("x 4250 was killed" + mention));
  EXPECT_TRUE(text({.kind = Kind::joined, .live = 1, .plain = 3, .joined = {4242}}).ends_with("joined" + mention));
  for (const Event& event : {Event{.live = 2, .plain = 2, .killed = {1}},
                             {.live = 2, .plain = 1, .killed = {1}},
                             {.kind = Kind::joined, .live = 2, .plain = 1},
                             {.live = 2, .plain = 3, .joined = {1}},
                             {.live = 2, .plain = 3, .left = {1}},
                             {.kind = Kind::left, .live = 2, .plain = 3}}) {
    EXPECT_EQ(text(event).find("plain"), std::string::npos) << text(event);
  }
}

TEST(TextLine, HasColoursWhereTheyAreAskedFor) {
  EXPECT_EQ(Log({.color = Color::always}, 4242)
                .lines({.live = 2, .plain = 2, .joined = {1}, .left = {2}, .killed = {3}}, noon)
                .at(0),
            "\x1b[2m12:00:00.007\x1b[0m  [4242]  \x1b[1m   2\x1b[0m live  \x1b[32m+ 1\x1b[0m  "
            "\x1b[33m- 2\x1b[0m  \x1b[31mx 3\x1b[0m was killed\n");
}

TEST(JsonLine, IsOneObjectWithAllFieldsWithoutColoursAndRemarks) {
  const Event event{.live = 5, .plain = 6, .joined = {1, 2}, .left = {3}, .killed = {4, 5}, .remark = "last one out"};
  EXPECT_EQ(Log({.json = true, .color = Color::always}, 4242).lines(event, "2024-05-06T10:00:00.007Z").at(0),
            R"({"time":"2024-05-06T10:00:00.007Z","pid":4242,"event":"changed","live":5,"plain":6,)"
            R"("joined":[1,2],"left":[3],"killed":[4,5],"unknown":[]})"
            "\n");
}

TEST(AnyLine, FitsIntoAPipeInOneWriteAndIsTrueByItself) {
  constexpr std::uint32_t most = 4'294'967'295;
  const Event event{.live = most,
                    .plain = std::numeric_limits<std::int32_t>::min(),
                    .joined = pids(most - 999, 1000),
                    .left = pids(most - 1999, 1000),
                    .killed = pids(most - 2999, 1000)};
  EXPECT_LE(Log({.color = Color::always}, most).lines(event, noon).at(0).size(), 4096U);
  std::string all;
  for (const std::string& line : Log({.json = true}, most).lines(event, noon)) {
    EXPECT_LE(line.size(), 4096U);
    EXPECT_NE(line.find(R"("event":"changed","live":4294967295,"plain":-2147483648,)"), std::string::npos) << line;
    all += line;
  }
  for (std::uint32_t pid = most - 2999; pid != 0; ++pid) {
    const auto first = all.find(std::to_string(pid));
    ASSERT_NE(first, std::string::npos) << pid << " is missing";
  }
  EXPECT_EQ(std::ranges::count(all, '\n'), 9) << "350 of 3000 in each";
}

TEST(CurrentTime, HasBothForms) {
  EXPECT_TRUE(std::regex_match(clock_time(), std::regex{R"(\d\d:\d\d:\d\d\.\d\d\d)"})) << clock_time();
  EXPECT_TRUE(std::regex_match(rfc3339_time(), std::regex{R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\dZ)"}))
      << rfc3339_time();
}

}  // namespace
}  // namespace share_data::test
