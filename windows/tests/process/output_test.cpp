// What comes out, and what becomes of it.
#include <gtest/gtest.h>

#include <windows.h>

#include <chrono>
#include <cstdint>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "copy.h"
#include "win32.h"

namespace share_data::test {
namespace {

TEST(Json, TellsTheStoryOfACopy) {
  const Folder folder;
  const Copy copy{folder.exe(), {L"--for", L"0.2", L"--json", L"--quiet"}};
  EXPECT_EQ(copy.exit_code(), DWORD{0});
  const std::string pid = std::to_string(copy.pid());
  const std::string time = R"(\{"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z","pid":)" + pid;
  EXPECT_TRUE(says(copy, "^" + time + R"(,"event":"joined","live":1,"plain":1,"joined":\[)" + pid +
                             R"(\],"left":\[\],"killed":\[\],"unknown":\[\]\}\n)" + time +
                             R"(,"event":"left","live":0,"plain":0,"joined":\[\],"left":\[)" + pid +
                             R"(\],"killed":\[\],"unknown":\[\]\}\n$)"));
  EXPECT_EQ(copy.notes(), "");
}

TEST(Output, OnlyAConsoleGetsColoursUnasked) {
  const Folder folder;
  for (const auto* when : {L"always", L"auto", L"never"}) {
    const bool coloured = matches(output_of(folder, {L"--for", L"0.1", L"--color", when}), "\x1b");
    EXPECT_EQ(coloured, when == std::wstring{L"always"}) << "this is no console";
  }
}

TEST(Output, AReaderWhoIsGoneBeforeTheFirstLineEndsTheCopyCleanly) {
  const Folder folder;
  Copy copy{folder.exe(), Start{.suspended = true, .read = false}};
  copy.break_output();
  copy.resume();
  EXPECT_EQ(copy.exit_code(), DWORD{0});
}

TEST(Output, ACopyOfWhichNobodyReadsAnythingLeavesInTime) {
  const Folder folder;
  const PseudoConsole console;
  const Copy witness{folder.exe()};
  const Copy stuck{folder.exe(), Start{.console = console.handle(), .read = false}};
  ASSERT_TRUE(shows(witness, 2));
  const auto asked = std::chrono::steady_clock::now();
  console.send(CTRL_C_EVENT);
  EXPECT_EQ(stuck.exit_code(), DWORD{0});
  EXPECT_LT(std::chrono::steady_clock::now() - asked, time_to_leave);
  EXPECT_TRUE(says(witness, "1 live  - " + std::to_string(stuck.pid()) + "\n"));
}

TEST(Usage, WrongOptionsTouchNothingAndHelpLeadsWithExamplesAndEndsWithTheExitCodes) {
  const Folder folder;
  const Copy copy{folder.exe(), {L"--max", L"0"}};
  EXPECT_EQ(copy.exit_code(), DWORD{2});
  EXPECT_TRUE(notes(copy, "^share_data: .*'0' is not a number"));
  EXPECT_EQ(copy.output(), "");
  const std::string help = output_of(folder, {L"--help"});
  EXPECT_TRUE(matches(help, "^[^\n]*\n\nExamples:\n")) << help;
  EXPECT_TRUE(matches(help, "Usage: share_data \\[OPTIONS\\]")) << help;
  EXPECT_TRUE(matches(help, "3  refused, because --max copies are live\n$")) << help;
  EXPECT_TRUE(matches(output_of(folder, {L"--version"}), "^share_data \\d+\\.\\d+\\.\\d+\n$"));
}

TEST(Status, NamesAllWhoRunAndDisturbsNobody) {
  const Folder folder;
  EXPECT_EQ(output_of(folder, {L"--status"}), "0 live\n");
  EXPECT_EQ(output_of(folder, {L"--status", L"--json"}), "{\"live\":0,\"plain\":0,\"instances\":[]}\n");
  const Copy first{folder.exe()};
  const Copy second{folder.exe()};
  ASSERT_TRUE(shows(first, 2) && shows(second, 2));
  const std::string before = first.output() + second.output();
  const std::string status = output_of(folder, {L"--status"});
  EXPECT_TRUE(matches(status, "^2 live\n +PID +RUNNING\n( +\\d+ +0:\\d\\d:\\d\\d\n){2}$")) << status;
  const std::string json = output_of(folder, {L"--status", L"--json"});
  EXPECT_TRUE(matches(json, R"(^\{"live":2,"plain":2,"instances":\[\{"pid":\d+,"seconds":\d+\.\d\d\},)"
                            R"(\{"pid":\d+,"seconds":\d+\.\d\d\}\]\}\n$)"))
      << json;
  for (const Copy* copy : {&first, &second}) {
    EXPECT_TRUE(matches(json, "\"pid\":" + std::to_string(copy->pid()) + ",")) << json;
  }
  EXPECT_EQ(first.output() + second.output(), before);
}

/// Waits until the notes contain these steps in this order. Each is a regular expression for the rest of a line.
testing::AssertionResult explains(const Copy& copy, const std::vector<std::string>& steps) {
  std::string missing;
  const bool all = eventually([&] {
    const std::string text = copy.notes();
    std::smatch match;
    auto from = text.begin();
    for (const std::string& step : steps) {
      missing = fmt::format(R"(\[{}\] {}\n)", copy.pid(), step);
      if (!std::regex_search(from, text.end(), match, std::regex{missing})) return false;
      from = match[0].second;
    }
    return true;
  });
  if (all) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "not explained: " << missing << "\n" << copy.notes();
}

/// What whoever notifies says, the value of `changes` before it given.
std::string notified(unsigned changes) {
  return fmt::format(R"(SetEvent\(Local\\share_data-[0-9a-f]{{16}}-{0}\), changes: {0} -> {1}: )"
                     "all copies that wait for it are notified",
                     changes, changes + 1);
}

TEST(Explain, TellsTheStoryOfACopyAndStatusTheMemoryWordByWord) {
  const Folder folder;
  const PseudoConsole console;
  const Copy copy{folder.exe(), Start{.arguments = {L"--explain"}, .console = console.handle()}};
  const std::string self = std::to_string(copy.pid());
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
  ASSERT_TRUE(shows(copy, 2));
  other.terminate();
  ASSERT_TRUE(explains(
      copy,
      {fmt::format("woken(: the line before is written| by the system: process {} has ended)", pid),
       fmt::format("slot 1: {} -> 0", pid), notified(2),
       fmt::format("compared with the previous look: {} is not there any more, and not in the list of those that left",
                   pid),
       "sleeping until the event of changes = 3 is set, or a request to leave comes"}));
  const std::string text = output_of(folder, {L"--status", L"--explain"});
  for (const std::string& line : std::vector<std::string>{
           "^1 live", R"(section SHARED at 0x[0-9a-f]+, 41 KiB, shared by all that run .*\.exe)",
           "  magic       0x33617461645f6853  a table of version 3",
           "  id          0x[0-9a-f]+ +a random number that the events are named after",
           "  changes     3 +goes up with every change; each value has its event",
           "  plain       2 +the article's counter: .*", "  left_count  0 +how many have left on their own",
           fmt::format("  slot 0      {} +running; counted", copy.pid())}) {
    EXPECT_TRUE(matches(text, line + "\n")) << line << "\n" << text;
  }
  console.send(CTRL_C_EVENT);
  EXPECT_EQ(copy.exit_code(), DWORD{0});
  EXPECT_TRUE(explains(copy, {"woken by a request to leave", fmt::format(R"(left\[0\] = {}: I leave on my own)", self),
                              fmt::format(R"(slot 0: {0} -> {0}\|leaving)", self), notified(3)}));
}

TEST(Explain, TellsHowAMappingIsMadeAndStatusDoesNotMakeIt) {
  const Folder folder;
  const std::wstring name = unique_name();
  const std::string text = to_utf8(name);
  EXPECT_EQ(output_of(folder, via_mapping(name, {L"--status"})), "0 live\n");
  const Copy first{folder.exe(), via_mapping(name, {L"--explain"})};
  ASSERT_TRUE(explains(first, {fmt::format(R"(OpenFileMapping\(Local\\{}\) = none)", text),
                               fmt::format(R"(CreateFileMapping\(Local\\{}\) = a handle)", text),
                               "MapViewOfFile = 0x[0-9a-f]+: from here on, it is memory like any other"}));
  const Copy second{folder.exe(), via_mapping(name, {L"--explain"})};
  ASSERT_TRUE(explains(second, {fmt::format(R"(OpenFileMapping\(Local\\{}\) = a handle)", text)}));
  EXPECT_TRUE(shows(second, 2));
  EXPECT_TRUE(matches(output_of(folder, via_mapping(name, {L"--status"})), "^2 live\n"));
}

/// Grows with every wake-up of a copy that explains: how often it has gone to sleep. Windows itself knows better.
std::uint64_t activity(const Copy& copy) {
  ULONG64 cycles = 0;
  if (!runs_under_wine() && QueryProcessCycleTime(copy.process(), &cycles) != 0) return cycles;
  const std::string text = copy.notes();
  const std::regex sleeping{"sleeping until"};
  return static_cast<std::uint64_t>(std::distance(std::sregex_iterator{text.begin(), text.end(), sleeping}, {}));
}

TEST(Idle, CopyDoesNotWakeUpNorDoesStatusWakeIt) {
  const Folder folder;
  const Copy copy{folder.exe(), {L"--explain"}};
  const Copy neighbour{folder.exe()};
  ASSERT_TRUE(shows(copy, 2) && shows(neighbour, 2));
  std::uint64_t before = 0;
  EXPECT_TRUE(eventually([&] {  // it has still to cool down; a copy that polled would never sleep for so long
    before = activity(copy);
    Sleep(3000);
    return activity(copy) == before;
  }));
  EXPECT_TRUE(matches(output_of(folder, {L"--status"}), "^2 live\n"));
  EXPECT_EQ(activity(copy), before);
  const Copy newcomer{folder.exe()};
  EXPECT_TRUE(eventually([&] { return activity(copy) > before; })) << "the measure does not measure";
}

}  // namespace
}  // namespace share_data::test
