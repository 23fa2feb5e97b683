// What the program promises to people and scripts: options, exit codes, output.
#include <gtest/gtest.h>

#include <windows.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

#include "copies.h"
#include "unicode.h"

namespace share_data::test {
namespace {

bool matches(const std::string& text, const std::string& pattern) {
  return std::regex_search(text, std::regex{pattern});
}

std::string output_of(const Folder& folder, std::vector<std::wstring> arguments) {
  const Copy copy{folder.exe(), std::move(arguments)};
  EXPECT_EQ(copy.exit_code(), DWORD{0}) << copy.notes();
  std::string seen;
  (void)eventually([&] { return !(seen = copy.output()).empty(); });
  return seen;
}

TEST(Program, JoinsAndLeavesInTwoLines) {
  const Folder folder;
  const Copy copy{folder.exe(), {L"--for", L"0.2"}};
  EXPECT_EQ(copy.exit_code(), DWORD{0});
  const std::string pid = std::to_string(copy.pid());
  EXPECT_TRUE(eventually([&] {
    return matches(copy.output(), R"(^\d\d:\d\d:\d\d\.\d{3}  \[)" + pid +
                                      R"(\] +1 live  joined\n)"
                                      R"(\d\d:\d\d:\d\d\.\d{3}  \[)" +
                                      pid + R"(\] +0 live  left; last one out[^\n]*\n$)");
  })) << copy.output();
  EXPECT_TRUE(
      matches(copy.notes(), "^share_data: section SHARED at 0x[0-9a-f]+, 33 KiB, shared by all that run .*exe\n$"))
      << copy.notes();
}

TEST(Program, ShowsBothLinesInOrderHoweverShortItsTimeIs) {
  const Folder folder;
  for (int round = 0; round < 30; ++round) {
    const Copy copy{folder.exe(), {L"--for", L"0.0001"}};
    EXPECT_EQ(copy.exit_code(), DWORD{0});
    EXPECT_TRUE(eventually([&] {
      return matches(copy.output(), "^[^\n]*1 live  joined\n[^\n]*0 live  left;[^\n]*\n$");
    })) << copy.output();
  }
}

TEST(Program, SpeaksJsonLines) {
  const Folder folder;
  const Copy copy{folder.exe(), {L"--for", L"0.2", L"--json", L"--quiet"}};
  EXPECT_EQ(copy.exit_code(), DWORD{0});
  const std::string pid = std::to_string(copy.pid());
  const std::string time = R"(\{"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z","pid":)" + pid;
  EXPECT_TRUE(eventually([&] {
    return matches(copy.output(), "^" + time + R"(,"event":"joined","live":1,"plain":1,"joined":\[)" + pid +
                                      R"(\],"left":\[\],"killed":\[\]\}\n)" + time +
                                      R"(,"event":"left","live":0,"plain":0,"joined":\[\],"left":\[)" + pid +
                                      R"(\],"killed":\[\]\}\n$)");
  })) << copy.output();
  EXPECT_EQ(copy.notes(), "");
}

TEST(Program, ColoursItsLinesWhenItIsTold) {
  const Folder folder;
  const auto is_coloured = [&](const wchar_t* when) {
    return output_of(folder, {L"--for", L"0.1", L"--color", when}).find('\x1b') != std::string::npos;
  };
  EXPECT_TRUE(is_coloured(L"always"));
  EXPECT_FALSE(is_coloured(L"auto")) << "this is no console";
  EXPECT_FALSE(is_coloured(L"never"));
}

TEST(Program, NamesTheMappingAndWhetherItMadeIt) {
  const Folder folder;
  const std::wstring name = unique_name() + L" \u6570";
  const std::vector<std::wstring> arguments{L"--via", L"mapping", L"--name", name};
  const Copy first{folder.exe(), arguments};
  ASSERT_TRUE(eventually([&] { return first.shows() == 1U; })) << first.notes();
  const Copy second{folder.exe(), arguments};
  ASSERT_TRUE(eventually([&] { return second.shows() == 2U; })) << second.notes();
  const std::string rest = "mapping Local\\\\" + to_utf8(name) + ", 33 KiB, at 0x[0-9a-f]+\n$";
  EXPECT_TRUE(matches(first.notes(), "^share_data: created " + rest)) << first.notes();
  EXPECT_TRUE(matches(second.notes(), "^share_data: attached to " + rest)) << second.notes();
}

TEST(Program, ShowsPathsInAnyScript) {
  const Folder folder{L"gr\u00fc\u00df \u6570"};
  const Copy copy{folder.exe(), {L"--for", L"0.2"}};
  EXPECT_EQ(copy.exit_code(), DWORD{0});
  EXPECT_TRUE(eventually([&] { return copy.notes().find("gr\xc3\xbc\xc3\x9f \xe6\x95\xb0") != std::string::npos; }))
      << copy.notes();
}

TEST(Program, RefusesANameThatAnEventHas) {
  const Folder folder;
  const std::wstring name = unique_name();
  const Handle squatter{CreateEventW(nullptr, FALSE, FALSE, (L"Local\\" + name).c_str())};
  for (const wchar_t* more : {L"--quiet", L"--status"}) {
    const Copy copy{folder.exe(), {L"--via", L"mapping", L"--name", name, more}};
    EXPECT_EQ(copy.exit_code(), DWORD{1});
    EXPECT_TRUE(eventually([&] { return matches(copy.notes(), "object of another kind\n.*--name"); })) << copy.notes();
  }
}

/// Takes the flag "shared" from the section SHARED in the headers of a program file.
void unshare_section(const std::filesystem::path& exe) {
  std::fstream file{exe, std::ios::in | std::ios::out | std::ios::binary};
  std::string headers(4096, '\0');
  file.read(headers.data(), static_cast<std::streamsize>(headers.size()));
  const auto section = headers.find(std::string{"SHARED\0\0", 8});
  ASSERT_NE(section, std::string::npos);
  const auto flags = section + offsetof(IMAGE_SECTION_HEADER, Characteristics) + 3;  // 0x10000000 is in byte 3
  ASSERT_NE(headers[flags] & 0x10, 0);
  file.seekp(static_cast<std::streamoff>(flags));
  file.put(static_cast<char>(headers[flags] & ~0x10));
}

TEST(Program, RefusesToStartWhereItsSectionIsNotShared) {
  const Folder folder;
  unshare_section(folder.exe());
  for (const wchar_t* option : {L"--for=1", L"--status"}) {
    const Copy copy{folder.exe(), {option}};
    EXPECT_EQ(copy.exit_code(), DWORD{1});
    EXPECT_TRUE(eventually([&] { return matches(copy.notes(), "section SHARED is not shared"); })) << copy.notes();
  }
}

TEST(Program, ExitsWithTwoOnWrongUsage) {
  const Folder folder;
  const std::vector<std::vector<std::wstring>> wrong{{L"--max", L"0"}, {L"--for"}, {L"--name", L"x"}, {L"--nope"}};
  for (const auto& arguments : wrong) {
    const Copy copy{folder.exe(), arguments};
    EXPECT_EQ(copy.exit_code(), DWORD{2});
    EXPECT_TRUE(eventually([&] { return copy.notes().starts_with("share_data: "); })) << copy.notes();
    EXPECT_EQ(copy.output(), "");
  }
}

TEST(Program, HelpsOnStandardOutput) {
  const Folder folder;
  const std::string help = output_of(folder, {L"--help"});
  EXPECT_TRUE(matches(help, "^[^\n]*\n\nExamples:\n")) << help;
  EXPECT_TRUE(matches(help, "Usage: share_data \\[OPTIONS\\]")) << help;
  EXPECT_TRUE(matches(help, "3  refused, because --max copies are live\n$")) << help;
  EXPECT_TRUE(matches(output_of(folder, {L"--version"}), "^share_data \\d+\\.\\d+\\.\\d+\n$"));
}

TEST(Program, LetsInNoMoreThanMaxOfTwelveThatStartAtOnce) {
  const Folder folder;
  std::deque<Copy> copies;
  for (int i = 0; i < 12; ++i)
    copies.emplace_back(folder.exe(), Start{.arguments = {L"--max", L"5"}, .suspended = true});
  for (const Copy& copy : copies) copy.resume();
  const auto ended = [](const Copy& copy) { return WaitForSingleObject(copy.process(), 0) == WAIT_OBJECT_0; };
  EXPECT_TRUE(eventually([&] { return std::ranges::count_if(copies, ended) == 7; }));
  for (const Copy& copy : copies) {
    EXPECT_LE(copy.shows().value_or(0), 5U) << copy.output();
    if (!ended(copy)) continue;
    EXPECT_EQ(copy.exit_code(), DWORD{3});
    EXPECT_EQ(copy.output(), "");
    EXPECT_TRUE(eventually([&] { return matches(copy.notes(), "^share_data: not joining: 5 live, --max 5\n$"); }))
        << copy.notes();
  }
  EXPECT_TRUE(eventually([&] {
    return std::ranges::all_of(copies, [&](const Copy& copy) { return ended(copy) || copy.shows() == 5U; });
  }));
}

TEST(Program, TellsTheStatusAndDisturbsNobody) {
  const Folder folder;
  EXPECT_EQ(output_of(folder, {L"--status"}), "0 live\n");
  EXPECT_EQ(output_of(folder, {L"--status", L"--json"}), "{\"live\":0,\"plain\":0,\"instances\":[]}\n");
  const Copy first{folder.exe()};
  const Copy second{folder.exe()};
  ASSERT_TRUE(eventually([&] { return first.shows() == 2U && second.shows() == 2U; }));
  const std::string before = first.output() + second.output();
  EXPECT_TRUE(matches(output_of(folder, {L"--status"}), "^2 live\n +PID +RUNNING\n( +\\d+ +0:00:\\d\\d\n){2}$"));
  const std::string json = output_of(folder, {L"--status", L"--json"});
  EXPECT_TRUE(matches(json, R"(^\{"live":2,"plain":2,"instances":\[\{"pid":\d+,"seconds":\d+\.\d\d\},)"
                            R"(\{"pid":\d+,"seconds":\d+\.\d\d\}\]\}\n$)"))
      << json;
  EXPECT_NE(json.find("\"pid\":" + std::to_string(second.pid())), std::string::npos) << json;
  EXPECT_EQ(first.output() + second.output(), before);
}

TEST(Program, TellsTheStatusOfAMappingWithoutMakingIt) {
  const Folder folder;
  const std::wstring name = unique_name();
  EXPECT_EQ(output_of(folder, {L"--via", L"mapping", L"--name", name, L"--status"}), "0 live\n");
  const Copy copy{folder.exe(), {L"--via", L"mapping", L"--name", name}};
  ASSERT_TRUE(eventually([&] { return copy.shows() == 1U; }));
  EXPECT_TRUE(output_of(folder, {L"--via", L"mapping", L"--name", name, L"--status"}).starts_with("1 live\n"));
}

TEST(Program, EndsWhenTheReaderOfItsOutputHasGone) {
  const Folder folder;
  Copy copy{folder.exe(), Start{.suspended = true, .read_output = false}};
  copy.break_output();
  copy.resume();
  EXPECT_EQ(copy.exit_code(), DWORD{0});
}

TEST(Program, LeavesWhenItsTimeIsUpThoughNobodyReadsItsOutput) {
  const Folder folder;
  const Copy witness{folder.exe()};
  ASSERT_TRUE(eventually([&] { return witness.shows() == 1U; }));
  const Copy stuck{folder.exe(), Start{.arguments = {L"--for", L"1"}, .read_output = false}};
  EXPECT_EQ(stuck.exit_code(), DWORD{0});
  EXPECT_TRUE(eventually([&] {
    return witness.output().find("- " + std::to_string(stuck.pid())) != std::string::npos;
  })) << witness.output();
}

TEST(Program, LeavesWithinFourSecondsThoughNobodyReadsAnythingOfIt) {
  const Folder folder;
  const Copy witness{folder.exe()};
  ASSERT_TRUE(eventually([&] { return witness.shows() == 1U; }));
  const Copy stuck{folder.exe(), Start{.arguments = {L"--for", L"1"}, .read_output = false, .read_notes = false}};
  ASSERT_TRUE(eventually([&] { return witness.shows() == 2U; }));
  const auto joined = std::chrono::steady_clock::now();
  EXPECT_EQ(stuck.exit_code(), DWORD{0});
  EXPECT_LT(std::chrono::steady_clock::now() - joined, std::chrono::seconds{1} + time_to_leave);
}

TEST(Program, CanBeToldToRunForAnyTime) {
  const Folder folder;
  const Copy copy{folder.exe(), {L"--for", L"1e300"}};
  ASSERT_TRUE(eventually([&] { return copy.shows() == 1U; })) << copy.notes();
  EXPECT_EQ(WaitForSingleObject(copy.process(), 200), DWORD{WAIT_TIMEOUT});
}

}  // namespace
}  // namespace share_data::test
