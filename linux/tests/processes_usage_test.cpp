// The command line: what is wrong is said and touches nothing.
#include <iterator>
#include <sstream>

#include "copies_test.h"

namespace share_data::test {
namespace {

using Usage = CopiesTest;

TEST_F(Usage, WrongOptionsTouchNothing) {
  for (const char* const text : {"--nonsense",
                                 "-x",
                                 "stray",
                                 "--for",
                                 "--for 0",
                                 "--for -1",
                                 "--for soon",
                                 "--for 1s",
                                 "--for nan",
                                 "--for inf",
                                 "--for=",
                                 "--max",
                                 "--max 0",
                                 "--max -1",
                                 "--max 1.5",
                                 "--max many",
                                 "--max 99999999999",
                                 "--color",
                                 "--color sometimes",
                                 "--color=",
                                 "--status --for 1",
                                 "--status --max 1",
                                 "--status --explain --json",
                                 "--via mapping",
                                 "--name x"}) {
    std::istringstream words{text};
    const std::vector<std::string> options{std::istream_iterator<std::string>{words}, {}};
    const Answer answer = ask_here(options);
    SCOPED_TRACE(std::string{text} + " says " + answer.notes);
    EXPECT_EQ(answer.exit_code, 2);
    EXPECT_EQ(answer.output, "");
    EXPECT_EQ(answer.notes.find("share_data: "), 0U);
    EXPECT_FALSE(segment_of(key()));
  }
}

TEST_F(Usage, WrongKeysTouchNothing) {
  for (const char* const key : {"", "0", "0x", "0x0", "-1", "ten", "10x", "0x1g", "4294967296", "0x100000000", "1.0"}) {
    const Answer answer = ask({"--for", "0.01", "--key", key});
    SCOPED_TRACE(std::string{key} + " says " + answer.notes);
    EXPECT_EQ(answer.exit_code, 2);
    EXPECT_EQ(answer.output, "");
    EXPECT_EQ(answer.notes.find("share_data: "), 0U);
  }
}

TEST_F(Usage, AKeyIsDecimalOrHexadecimal) {
  const std::string decimal = std::to_string(static_cast<std::uint32_t>(key()));
  Copy first{0, {.options = {"--key", decimal}}};
  ASSERT_TRUE(all_show({&first}, 1));
  Copy second{0, {.options = {"--key", key_text()}}};
  EXPECT_TRUE(all_show({&first, &second}, 2));
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
    EXPECT_NE(answer.output.find(option), std::string::npos) << option;
  }
  EXPECT_EQ(answer.output.find(SHARE_DATA_PROGRAM), std::string::npos) << "no full path";
  EXPECT_FALSE(segment_of(key()));
}

TEST_F(Usage, TheVersionIsOneLine) {
  const Answer answer = ask({"--version"});
  EXPECT_EQ(answer.exit_code, 0);
  EXPECT_EQ(answer.output, "share_data " SHARE_DATA_VERSION "\n");
  EXPECT_EQ(answer.notes, "");
}

TEST_F(Usage, FractionsOfASecondAreAllowed) {
  EXPECT_EQ(ask_here({"--for", "0.001"}).exit_code, 0);
  EXPECT_EQ(ask_here({"--for", "1e-9"}).exit_code, 0);
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(Usage, AVeryLongTimeIsAllowed) {
  Copy copy = start({"--for", "1e300"});
  ASSERT_TRUE(all_show({&copy}, 1));
  EXPECT_EQ(copy.stop(), 0);
}

}  // namespace
}  // namespace share_data::test
