#include "options.h"

#include <gtest/gtest.h>

#include <iterator>
#include <sstream>
#include <string>
#include <variant>
#include <vector>

namespace share_data {
namespace {

using Arguments = std::vector<std::string>;

bool is_wrong(const Arguments& arguments) {
  const auto parsed = parse_options(arguments);
  const auto* exit_code = std::get_if<ExitCode>(&parsed);
  return exit_code != nullptr && *exit_code == wrong_usage;
}

TEST(Options, AreUsefulWithoutAny) {
  const auto options = std::get<Options>(parse_options({}));
  EXPECT_EQ(options.via, Via::section);
  EXPECT_EQ(options.name, "share_data");
  EXPECT_EQ(options.dll, "");
  EXPECT_FALSE(options.run_for || options.max || options.status || options.style.json || options.style.quiet);
}

TEST(Options, ThatAreWrongAreWrongUsage) {
  std::istringstream list{
      "--for 0|--for -1|--for nan|--for inf|--for soon|--for|--max 0|--max -1|--max 1.5|--color green|--via segment|"
      "--frobnicate|4|--status --max=1|--status --for=1|--status --json --explain|--name x|--dll x|"
      "--via mapping --dll x|--via dll --name x|--via section --name x|--via mapping --name Global\\x"};
  for (std::string words; std::getline(list, words, '|');) {
    std::istringstream stream{words};
    EXPECT_TRUE(is_wrong({std::istream_iterator<std::string>{stream}, {}})) << words;
  }
  EXPECT_TRUE(is_wrong({"--via", "dll", "--dll", ""}));
  EXPECT_TRUE(is_wrong({"--via", "mapping", "--name", ""}));
  EXPECT_TRUE(is_wrong({"--via", "mapping", "--name", std::string(201, 'x')}));
}

}  // namespace
}  // namespace share_data
