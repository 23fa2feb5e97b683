// --status looks, and that is all it does.
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

}  // namespace
}  // namespace share_data::test
