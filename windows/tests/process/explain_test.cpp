// --explain: each step as it happens, with what is really there. Nothing else changes.
#include <gtest/gtest.h>

#include <windows.h>

#include <algorithm>
#include <regex>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "copies.h"
#include "win32.h"

namespace share_data::test {
namespace {

class Explain : public testing::Test {
 protected:
  /// Waits until the notes contain these steps in this order. Each is a regular expression for the rest of a line.
  static testing::AssertionResult explains(const Copy& copy, const std::vector<std::string>& steps) {
    std::string missing;
    const bool all = eventually([&] {
      const std::string notes = copy.notes();
      auto from = notes.begin();
      for (const std::string& step : steps) {
        std::smatch match;
        missing = fmt::format(R"(\[{}\] {}\n)", copy.pid(), step);
        if (!std::regex_search(from, notes.end(), match, std::regex{missing})) return false;
        from = match[0].second;
      }
      return true;
    });
    if (all) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "not explained: " << missing << "\n" << copy.notes();
  }

  static bool shows(const Copy& copy, unsigned live) {
    return eventually([&] { return copy.shows() == live; });
  }

  Folder folder;
};

/// What whoever notifies says, the value of `changes` before it given.
std::string notified(unsigned changes) {
  return fmt::format(R"(SetEvent\(Local\\share_data-[0-9a-f]{{16}}-{0}\), changes: {0} -> {1}: )"
                     "all copies that wait for it are notified",
                     changes, changes + 1);
}

TEST_F(Explain, TellsTheStoryOfACopy) {
  const PseudoConsole console;
  const Copy copy{folder.exe(), Start{.arguments = {L"--explain"}, .console = console.handle()}};
  const std::string self = std::to_string(copy.pid());
  ASSERT_TRUE(shows(copy, 1));
  ASSERT_TRUE(
      explains(copy, {R"(.*share_data.exe is at 0x[0-9a-f]+, its section SHARED at 0x[0-9a-f]+: memory like any other)",
                      "SetKernelObjectSecurity: everybody may wait for the end of this process",
                      fmt::format(R"(slot 0: 0 -> {}\|notifying)", self), notified(0),
                      fmt::format(R"(slot 0: {0}\|notifying -> {0})", self),
                      "sleeping until the event of changes = 1 is set, or a request to leave comes"}));

  const Copy other{folder.exe()};
  const std::string pid = std::to_string(other.pid());
  ASSERT_TRUE(explains(
      copy, {"woken by another copy: the event of changes = 1 is set",
             fmt::format(R"(OpenProcess\({}\) = a handle that its end signals)", pid),
             fmt::format("sleeping until the event of changes = 2 is set, process {} ends, or a request to leave comes",
                         pid)}));
  other.terminate();
  ASSERT_TRUE(explains(
      copy,
      {fmt::format("woken by the system: process {} has ended", pid), fmt::format("slot 1: {} -> 0", pid), notified(2),
       fmt::format("compared with the look before: {} is not there any more, and not in the list of those that left",
                   pid),
       "sleeping until the event of changes = 3 is set, or a request to leave comes"}));
  console.send(CTRL_C_EVENT);
  EXPECT_EQ(copy.exit_code(), DWORD{0});
  EXPECT_TRUE(explains(copy, {"woken by a request to leave", fmt::format(R"(left\[0\] = {}: I leave on my own)", self),
                              fmt::format(R"(slot 0: {0} -> {0}\|leaving)", self), notified(3)}));
}

TEST_F(Explain, TellsHowAMappingIsMade) {
  const std::wstring name = unique_name();
  const std::string text = to_utf8(name);
  const Copy first{folder.exe(), {L"--explain", L"--via", L"mapping", L"--name", name}};
  ASSERT_TRUE(explains(first, {fmt::format(R"(OpenFileMapping\(Local\\{}\) = none)", text),
                               fmt::format(R"(CreateFileMapping\(Local\\{}\) = a handle)", text),
                               "MapViewOfFile = 0x[0-9a-f]+: from here on, it is memory like any other"}));
  const Copy second{folder.exe(), {L"--explain", L"--via", L"mapping", L"--name", name}};
  ASSERT_TRUE(explains(second, {fmt::format(R"(OpenFileMapping\(Local\\{}\) = a handle)", text)}));
}

TEST_F(Explain, NothingIsExplainedUnasked) {
  const Copy copy{folder.exe(), {L"--for", L"0.2", L"--quiet"}};
  EXPECT_EQ(copy.exit_code(), DWORD{0});
  EXPECT_EQ(copy.notes(), "");
}

TEST_F(Explain, WithStatusTheMemoryIsShownWordByWord) {
  const Copy first{folder.exe()};
  ASSERT_TRUE(shows(first, 1));
  const Copy second{folder.exe()};
  ASSERT_TRUE(shows(second, 2) && shows(first, 2));
  second.terminate();
  ASSERT_TRUE(shows(first, 1));
  const std::string text = output_of(folder, {L"--status", L"--explain"});
  EXPECT_TRUE(text.starts_with("1 live\n")) << text;
  const std::vector<std::string> words{R"(section SHARED at 0x[0-9a-f]+, 41 KiB, shared by all that run .*\.exe)",
                                       "  magic       0x33617461645f6853  a table of version 3",
                                       "  id          0x[0-9a-f]+ +a random number that the events are named after",
                                       "  changes     3 +goes up with every change; each value has its event",
                                       "  plain       2 +the article's counter: .*",
                                       "  left_count  0 +how many have left on their own",
                                       fmt::format("  slot 0      {} +running; counted", first.pid())};
  for (const std::string& word : words) EXPECT_TRUE(matches(text, word + "\n")) << word << "\n" << text;
}

}  // namespace
}  // namespace share_data::test
