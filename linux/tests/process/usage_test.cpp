// The command line: what is wrong is said and touches nothing.
#include <map>
#include <sstream>

#include "copies.h"

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
      const Answer answer =
          option == "--key" ? Copy{0, {.options = {"--for", "0.01", option, value}}}.answer() : ask_here(options);
      SCOPED_TRACE(words.str() + " says " + answer.notes);
      EXPECT_EQ(answer.exit_code, 2);
      EXPECT_EQ(answer.output, "");
      EXPECT_EQ(answer.notes.find("share_data: "), 0U);
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
  EXPECT_EQ(other.stop(), 0);
  EXPECT_FALSE(segment_of(other_key));
}

TEST_F(Usage, HelpLeadsWithExamplesAndEndsWithTheExitCodesAndTheVersionIsOneLine) {
  const Answer answer = ask_here({"--help"});
  EXPECT_EQ(answer.exit_code, 0);
  EXPECT_EQ(answer.notes, "");
  const auto examples = answer.output.find("Examples:");
  const auto options = answer.output.find("--for");
  const auto exit_codes = answer.output.find("Exit codes:");
  EXPECT_LT(examples, options);
  EXPECT_LT(options, exit_codes);
  EXPECT_NE(exit_codes, std::string::npos);
  EXPECT_EQ(answer.output.find(SHARE_DATA_PROGRAM), std::string::npos) << "no full path";
  EXPECT_FALSE(segment_of(key()));
  EXPECT_EQ(ask_here({"--version"}).output, "share_data " SHARE_DATA_VERSION "\n");
}

}  // namespace
}  // namespace share_data::test
