// What comes out, and what becomes of it.
#include <gtest/gtest.h>

#include <windows.h>

#include <chrono>
#include <cstdint>
#include <iterator>
#include <regex>
#include <sstream>
#include <string>

#include <fmt/format.h>

#include "copies.h"
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

TEST(Output, AReaderWhoIsGoneBeforeTheFirstLineEndsTheCopyCleanly) {
  const Folder folder;
  Pipe pipe;
  pipe.read.reset();
  const Copy copy{folder.exe(), Start{.output = pipe.write.get()}};
  EXPECT_EQ(copy.exit_code(), DWORD{0});
}

TEST(Output, OfCopiesThatNobodyReadsHidesNoDeathAndOneOfThemLeavesInTime) {
  constexpr std::chrono::seconds time_to_leave{15};  // 4 s, and the rest is for a very slow machine
  const Folder folder;
  Copies copies;
  Copies stuck;
  start(copies, 2, folder.exe());
  ASSERT_TRUE(all_show(copies, 2));
  start(stuck, 10, folder.exe(), Start{.read = false});
  const Copy leaving{folder.exe(), Start{.own_console = true, .read = false}};
  ASSERT_TRUE(all_show(copies, 13));
  copies.pop_front();
  EXPECT_TRUE(all_show(copies, 12));
  for (const Copy& copy : stuck) EXPECT_FALSE(copy.has_ended());
  const auto asked = std::chrono::steady_clock::now();
  leaving.press(CTRL_C_EVENT);
  EXPECT_EQ(leaving.exit_code(), DWORD{0});
  EXPECT_LT(std::chrono::steady_clock::now() - asked, time_to_leave);
  EXPECT_TRUE(says(copies.front(), "11 live  - " + std::to_string(leaving.pid()) + "\n"));
}

TEST(Usage, WrongOptionsTouchNothing) {
  const Folder folder;
  const Copy copy{folder.exe(), {L"--max", L"0"}};
  EXPECT_EQ(copy.exit_code(), DWORD{2});
  EXPECT_TRUE(notes(copy, "^share_data: .*'0' is not a number"));
  EXPECT_EQ(copy.output(), "");
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

/// Waits until the notes contain these steps in this order. Each is a line, a regular expression for what follows the
/// pid.
testing::AssertionResult explains(const Copy& copy, const std::string& steps) {
  return wait_for(copy, [&](const Copy& one) {
    const std::string text = one.notes();
    std::smatch match;
    auto from = text.begin();
    std::istringstream stream{steps};
    for (std::string step; std::getline(stream, step);) {
      const std::regex line{fmt::format(R"(\[{}\] {}\n)", one.pid(), step)};
      if (!std::regex_search(from, text.end(), match, line)) return false;
      from = match[0].second;
    }
    return true;
  });
}

TEST(Explain, TellsTheStoryOfACopyAndStatusTheMemoryWordByWord) {
  const Folder folder;
  const Copy copy{folder.exe(), Start{.arguments = {L"--explain"}, .own_console = true}};
  ASSERT_TRUE(notes(copy, "sleeping until the event of changes = 1 is set, or"));
  const Copy other{folder.exe()};
  ASSERT_TRUE(shows(copy, 2) && notes(copy, "sleeping until the event of changes = 2 is set, process"));
  other.terminate();
  ASSERT_TRUE(notes(copy, "sleeping until the event of changes = 3 is set, or"));
  const std::string status = output_of(folder, {L"--status", L"--explain"});
  EXPECT_TRUE(matches(status, fmt::format(R"(^1 live
 +PID +RUNNING
 +{0} .*

section SHARED at 0x[0-9a-f]+, 17 KiB, shared by all that run .*\.exe
  magic       0x33617461645f6853  a table of version 3
  id          0x[0-9a-f]+ +a random number that the events are named after
  changes     3 +goes up with every change; each value has its event
  plain       2 +the article's counter: .*
  left_count  0 +how many have left normally
  slot 0      {0} +running; counted
$)",
                                          copy.pid())))
      << status;
  copy.press(CTRL_C_EVENT);
  EXPECT_EQ(copy.exit_code(), DWORD{0});
  EXPECT_TRUE(explains(
      copy, fmt::format(R"(.*share_data.exe is at 0x[0-9a-f]+, its section SHARED at 0x[0-9a-f]+: memory like any other
SetKernelObjectSecurity: everybody may wait for the end of this process
slot 0: 0 -> {0}\|notifying
SetEvent\(Local\\share_data-[0-9a-f]{{16}}-0\), changes: 0 -> 1: all copies that wait for it are notified
slot 0: {0}\|notifying -> {0}
sleeping until the event of changes = 1 is set, or a request to leave comes
woken by another copy: the event of changes = 1 is set
OpenProcess\({1}\) = a handle that its end signals
sleeping until the event of changes = 2 is set, process {1} ends, or a request to leave comes
woken(: the line before is written| by the system: process {1} has ended)
slot 1: {1} -> 0
SetEvent\(Local\\share_data-[0-9a-f]{{16}}-2\), changes: 2 -> 3: all copies that wait for it are notified
compared with the previous look: {1} is not there any more, and not in the list of those that left
sleeping until the event of changes = 3 is set, or a request to leave comes
woken by a request to leave
left\[0\] = {0}: I leave normally
slot 0: {0} -> {0}\|leaving
SetEvent\(Local\\share_data-[0-9a-f]{{16}}-3\), changes: 3 -> 4: all copies that wait for it are notified)",
                        copy.pid(), other.pid())));
}

TEST(Explain, TellsHowAMappingIsMadeAndStatusDoesNotMakeIt) {
  const Folder folder;
  const std::wstring name = unique_name();
  const std::string text = to_utf8(name);
  EXPECT_EQ(output_of(folder, via_mapping(name, {L"--status"})), "0 live\n");
  const Copy first{folder.exe(), via_mapping(name, {L"--explain"})};
  ASSERT_TRUE(explains(first, fmt::format(R"(OpenFileMapping\(Local\\{0}\) = none
CreateFileMapping\(Local\\{0}\) = a handle
MapViewOfFile = 0x[0-9a-f]+: from here on, it is memory like any other)",
                                          text)));
  const Copy second{folder.exe(), via_mapping(name, {L"--explain"})};
  ASSERT_TRUE(explains(second, fmt::format(R"(OpenFileMapping\(Local\\{}\) = a handle)", text)));
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
