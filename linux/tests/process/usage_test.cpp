// The command line: what is wrong is said and touches nothing.
#include <iterator>
#include <map>
#include <sstream>

#include "copies.h"

namespace share_data::test {
namespace {

using Usage = CopiesTest;

void expect_wrong(const Answer& answer, const std::string& options) {
  SCOPED_TRACE(options + " says " + answer.notes);
  EXPECT_EQ(answer.exit_code, 2);
  EXPECT_EQ(answer.output, "");
  EXPECT_EQ(answer.notes.find("share_data: "), 0U);
}

TEST_F(Usage, WrongOptionsTouchNothing) {
  const std::map<std::string, std::vector<std::string>> wrong_values{
      {"", {"--nonsense", "-x", "stray", "--for", "--for=", "--max", "--color", "--color="}},
      {"--for", {"0", "-1", "soon", "1s", "nan", "inf"}},
      {"--max", {"0", "00", "-1", "+1", "1.5", "many", "99999999999"}},
      {"--color", {"sometimes"}},
      {"--status", {"--for 1", "--max 1", "--explain --json"}},
      {"--via", {"mapping"}},
      {"--name", {"x"}}};
  for (const auto& [option, values] : wrong_values) {
    for (const std::string& value : values) {
      std::istringstream words{option + " " + value};
      expect_wrong(ask_here({std::istream_iterator<std::string>{words}, {}}), words.str());
      EXPECT_FALSE(segment_of(key()));
    }
  }
}

TEST_F(Usage, WrongKeysTouchNothing) {
  for (const char* const key : {"", "0", "0x", "0x0", "-1", "ten", "10x", "0x1g", "4294967296", "0x100000000", "1.0"}) {
    expect_wrong(ask({"--for", "0.01", "--key", key}), key);
  }
}

TEST_F(Usage, AKeyIsDecimalOrHexadecimal) {
  const std::string decimal = std::to_string(static_cast<std::uint32_t>(key()));
  Copy first{0, {.options = {"--key", decimal}}};
  ASSERT_TRUE(all_show({&first}, 1));
  Copy second{0, {.options = {"--key", key_text()}}};
  EXPECT_TRUE(all_show({&first, &second}, 2));
  Copy third{0, {.options = {"--key", "00" + decimal, "--max", "010"}}};  // not octal
  EXPECT_TRUE(all_show({&first, &second, &third}, 3));
}

TEST_F(Usage, CopiesUnderAnotherKeyCountApart) {
  Copy one = start();
  const auto other_key = static_cast<key_t>(static_cast<std::uint32_t>(key()) ^ 0x8000'0000U);
  Copy other{other_key};
  EXPECT_TRUE(other.prints("1 live  joined"));
  EXPECT_TRUE(one.prints("1 live  joined"));
  EXPECT_EQ(other.stop(), 0);
  EXPECT_FALSE(segment_of(other_key));
}

TEST_F(Usage, HelpLeadsWithExamplesAndEndsWithTheExitCodes) {
  const Answer answer = ask_here({"--help"});
  EXPECT_EQ(answer.exit_code, 0);
  EXPECT_EQ(answer.notes, "");
  const auto examples = answer.output.find("Examples:");
  const auto options = answer.output.find("--for");
  const auto exit_codes = answer.output.find("Exit codes:");
  EXPECT_LT(examples, options);
  EXPECT_LT(options, exit_codes);
  EXPECT_NE(exit_codes, std::string::npos);
  for (const char* const option :
       {"--for", "--max", "--status", "--json", "--color", "--quiet", "--explain", "--version", "--help", "--key"}) {
    EXPECT_TRUE(contains(answer.output, option));
  }
  EXPECT_FALSE(contains(answer.output, SHARE_DATA_PROGRAM)) << "no full path";
  EXPECT_FALSE(segment_of(key()));
}

TEST_F(Usage, TheVersionIsOneLine) {
  const Answer answer = ask({"--version"});
  EXPECT_EQ(answer.exit_code, 0);
  EXPECT_EQ(answer.output, "share_data " SHARE_DATA_VERSION "\n");
  EXPECT_EQ(answer.notes, "");
}

TEST_F(Usage, FractionsOfASecondAndAVeryLongTimeAreAllowed) {
  EXPECT_EQ(ask_here({"--for", "0.001"}).exit_code, 0);
  EXPECT_EQ(ask_here({"--for", "1e-9"}).exit_code, 0);
  EXPECT_TRUE(nothing_is_left());
  Copy copy = start({.options = {"--for", "1e300"}});
  ASSERT_TRUE(all_show({&copy}, 1));
  EXPECT_EQ(copy.stop(), 0);
}

}  // namespace
}  // namespace share_data::test
