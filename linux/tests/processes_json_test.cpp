// --json: one object a line, for programs.
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <vector>

#include "copies_test.h"

namespace share_data::test {
namespace {

using Json = CopiesTest;
using nlohmann::json;

/// The event of that kind that comes first, once it has come.
json first_of(Copy& copy, const std::string& kind) {
  EXPECT_TRUE(copy.prints("\"event\":\"" + kind + "\"")) << copy.output();
  for (const std::string& line : copy.lines()) {
    const json object = json::parse(line);
    if (object.at("event") == kind) return object;
  }
  return {};
}

TEST_F(Json, EveryLineIsAnObjectWithAllFields) {
  Copy copy = start({"--json"});
  ASSERT_TRUE(copy.prints("joined"));
  Copy other = start({"--json"});
  ASSERT_TRUE(other.prints("joined"));
  EXPECT_EQ(other.stop(), 0);
  EXPECT_EQ(copy.stop(), 0);
  const std::regex rfc3339{R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d))"};
  for (const std::string& line : copy.lines()) {
    const json object = json::parse(line);
    EXPECT_EQ(object.size(), 8U) << line;
    EXPECT_TRUE(std::regex_match(object.at("time").get<std::string>(), rfc3339)) << line;
    EXPECT_EQ(object.at("pid"), copy.pid());
    EXPECT_TRUE(object.at("live").is_number_unsigned());
    EXPECT_TRUE(object.at("plain").is_number_integer());
    for (const char* const list : {"joined", "left", "killed"}) EXPECT_TRUE(object.at(list).is_array()) << line;
  }
}

TEST_F(Json, TellsTheStoryOfACopy) {
  Copy copy = start({"--json"});
  const json joined = first_of(copy, "joined");
  EXPECT_EQ(joined.at("live"), 1);
  EXPECT_EQ(joined.at("joined"), json::array({copy.pid()}));

  Copy other = start();
  const json changed = first_of(copy, "changed");
  EXPECT_EQ(changed.at("live"), 2);
  EXPECT_EQ(changed.at("joined"), json::array({other.pid()}));

  other.destroy();
  ASSERT_TRUE(copy.prints("\"killed\":[" + std::to_string(other.pid()) + "]"));
  const json killed = json::parse(copy.lines().back());
  EXPECT_EQ(killed.at("live"), 1);
  EXPECT_EQ(killed.at("plain"), 2) << "nobody counted the killed one down";

  EXPECT_EQ(copy.stop(), 0);
  const json left = json::parse(copy.lines().back());
  EXPECT_EQ(left.at("event"), "left");
  EXPECT_EQ(left.at("live"), 0);
  EXPECT_EQ(left.at("left"), json::array({copy.pid()}));
}

TEST_F(Json, HasNoColoursAndKeepsItsNotesAsText) {
  Copy copy = start({"--json", "--color", "always"});
  ASSERT_TRUE(copy.prints("joined"));
  EXPECT_EQ(copy.output().find('\x1b'), std::string::npos);
  EXPECT_EQ(copy.notes().find("share_data: created segment "), 0U) << copy.notes();
}

}  // namespace
}  // namespace share_data::test
