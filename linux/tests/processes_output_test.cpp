// What a copy prints, as text and as JSON Lines. Standard output can be full, closed, gone or stuck. None of it may
// cost more than the copy itself.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "copies_test.h"

namespace share_data::test {
namespace {

using Output = CopiesTest;

/// In the child: standard output or error becomes a pipe in which there is no room left.
void fill(int fd) {
  const int flags = fcntl(fd, F_GETFL);
  fcntl(fd, F_SETFL, flags | O_NONBLOCK);
  while (write(fd, "\n", 1) == 1) {}
  fcntl(fd, F_SETFL, flags);
}

TEST_F(Output, AReaderWhoGoesAwayEndsTheCopyCleanly) {
  Copy witness = start();
  Copy copy = start();
  ASSERT_TRUE(all_show({&witness, &copy}, 2));
  copy.close_output();  // as `| head -1` does
  Copy other = start();
  EXPECT_EQ(copy.exit_code(), 0);
  EXPECT_TRUE(witness.prints("- " + std::to_string(copy.pid())));
  EXPECT_TRUE(all_show({&witness, &other}, 2));
}

TEST_F(Output, AReaderWhoIsGoneBeforeTheFirstLineLeavesNothingBehind) {
  Copy copy = start();
  copy.close_output();
  EXPECT_EQ(copy.exit_code(), 0);
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(Output, AFullDeviceIsAnError) {
  Copy copy = start(Launch{.before_exec = [] { dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO); }});
  EXPECT_EQ(copy.exit_code(), 1);
  EXPECT_NE(copy.notes().find("share_data: standard output: No space left on device"), std::string::npos)
      << copy.notes();
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(Output, AFileThatMayNotGrowIsAnErrorAtTheLineThatDoesNotFit) {
  const std::string path = testing::TempDir() + key_text();
  Copy witness = start_alone();
  Copy copy = start(Launch{.before_exec = [&] {
    const rlimit small{.rlim_cur = 60, .rlim_max = 60};
    setrlimit(RLIMIT_FSIZE, &small);
    ::signal(SIGXFSZ, SIG_IGN);
    dup2(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO);
  }});
  ASSERT_TRUE(all_show({&witness}, 2));
  Copy other = start();
  EXPECT_EQ(copy.exit_code(), 1);
  EXPECT_NE(copy.notes().find("share_data: standard output: File too large"), std::string::npos) << copy.notes();
  EXPECT_TRUE(all_show({&witness, &other}, 2));
  EXPECT_TRUE(witness.prints("- " + std::to_string(copy.pid()))) << "it was not killed";
  unlink(path.c_str());
}

TEST_F(Output, AClosedStandardOutputIsAnError) {
  Copy copy = start(Launch{.before_exec = [] { close(STDOUT_FILENO); }});
  EXPECT_EQ(copy.exit_code(), 1);
  EXPECT_EQ(copy.notes(), "share_data: standard output: Bad file descriptor\n");
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(Output, ClosedStandardInputAndErrorDoNotMatter) {
  Copy copy = start(Launch{.before_exec = [] {
    close(STDIN_FILENO);
    close(STDERR_FILENO);
  }});
  ASSERT_TRUE(all_show({&copy}, 1));
  EXPECT_EQ(copy.stop(), 0);
  EXPECT_EQ(copy.lines().size(), 2U) << copy.output();
}

TEST_F(Output, ACopyWhoseLinesNobodyReadsLeavesWhenAskedTo) {
  if (thread_sanitized) GTEST_SKIP() << "ThreadSanitizer holds back signals while a write blocks";
  Copy witness = start_alone();
  Copy stuck = start(Launch{.before_exec = [] { fill(STDOUT_FILENO); }});
  ASSERT_TRUE(all_show({&witness}, 2));
  Copy brief = start(Launch{.options = {"--for", "0.5"}, .before_exec = [] { fill(STDOUT_FILENO); }});
  stuck.signal(SIGTERM);
  for (Copy* const copy : {&stuck, &brief}) {
    EXPECT_TRUE(eventually([&] { return copy->ended(); }, std::chrono::seconds{sanitized ? 60 : 15}));
    EXPECT_EQ(copy->exit_code(), 0);
    EXPECT_TRUE(witness.prints("- " + std::to_string(copy->pid())));
  }
  EXPECT_EQ(witness.stop(), 0);
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(Output, ACopyWhoseLinesNobodyReadsStillReportsDeaths) {
  Copy witness = start();
  Copy stuck = start(Launch{.before_exec = [] { fill(STDOUT_FILENO); }});
  Copy victim = start();
  ASSERT_TRUE(all_show({&witness, &victim}, 3));
  victim.destroy();
  EXPECT_TRUE(all_show({&witness}, 2));
}

TEST_F(Output, ALineWaitsForAReaderWhoIsSlow) {
  Copy copy = start(Launch{.before_exec = [] { fill(STDOUT_FILENO); }});
  ASSERT_TRUE(eventually([&] { return attached_to(key()) == 1; }));
  let_it_try();
  EXPECT_TRUE(copy.prints("1 live  joined"));
}

TEST_F(Output, ANonBlockingStandardOutputLosesNothing) {
  Copy copy = start(Launch{.before_exec = [] {
    fill(STDOUT_FILENO);
    fcntl(STDOUT_FILENO, F_SETFL, fcntl(STDOUT_FILENO, F_GETFL) | O_NONBLOCK);
  }});
  ASSERT_TRUE(eventually([&] { return attached_to(key()) == 1; }));
  let_it_try();
  EXPECT_TRUE(copy.prints("1 live  joined"));
  EXPECT_EQ(copy.stop(), 0);
  EXPECT_NE(copy.lines().back().find("0 live  left"), std::string::npos) << copy.lines().back();
}

TEST_F(Output, NotesThatNobodyReadsHoldUpNoLine) {
  Copy copy = start(Launch{.options = {"--explain"}, .before_exec = [] { fill(STDERR_FILENO); }});
  EXPECT_TRUE(copy.prints("1 live  joined"));
  EXPECT_EQ(copy.stop(), 0);
}

TEST_F(Output, AClosedTerminalEndsTheCopyCleanly) {
  Copy witness = start();
  Copy copy = start(Launch{.options = {"--color", "never"}, .on_terminal = true});
  ASSERT_TRUE(all_show({&witness, &copy}, 2));
  copy.close_output();  // the kernel sends SIGHUP
  EXPECT_EQ(copy.exit_code(), 0);
  EXPECT_TRUE(witness.prints("1 live  - " + std::to_string(copy.pid())));
}

TEST_F(Output, AClosedTerminalThatSendsNoSignalEndsTheCopyAtItsNextLine) {
  Copy copy = start(Launch{.options = {"--color", "never"},
                           .before_exec =
                               [] {
                                 ::signal(SIGHUP, SIG_IGN);
                                 ioctl(STDIN_FILENO, TIOCNOTTY);
                               },
                           .on_terminal = true});
  ASSERT_TRUE(all_show({&copy}, 1));
  copy.close_output();
  Copy other = start();
  EXPECT_EQ(copy.exit_code(), 0) << copy.notes();
  EXPECT_TRUE(all_show({&other}, 1));
}

TEST_F(Output, OnlyATerminalGetsColours) {
  const auto is_coloured = [&](const Launch& launch) {
    Copy copy = start(launch);
    EXPECT_TRUE(copy.prints("joined"));
    return copy.output().find('\x1b') != std::string::npos;
  };
  const std::vector<std::string> on_xterm{"env", "-u", "NO_COLOR", "TERM=xterm"};
  EXPECT_TRUE(is_coloured({.through = on_xterm, .on_terminal = true}));
  EXPECT_FALSE(is_coloured({.through = on_xterm}));
  EXPECT_FALSE(is_coloured({.through = {"env", "TERM=xterm", "NO_COLOR=1"}, .on_terminal = true}));
  EXPECT_FALSE(is_coloured({.through = {"env", "-u", "NO_COLOR", "TERM=dumb"}, .on_terminal = true}));
  EXPECT_FALSE(is_coloured({.options = {"--color", "never"}, .through = on_xterm, .on_terminal = true}));
  EXPECT_TRUE(is_coloured({.options = {"--color", "always"}}));
}

TEST_F(Output, LinesOfManyCopiesInOnePipeDoNotMix) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const FileDescriptor reading{ends[0]};
  FileDescriptor writing{ends[1]};
  Copies copies;
  for (int i = 0; i < scaled(20); ++i) {
    copies.push_back(start(Launch{.before_exec = [&] { dup2(writing.get(), STDOUT_FILENO); }}));
  }
  ASSERT_TRUE(eventually([&] { return attached_to(key()) == copies.size(); }));
  EXPECT_TRUE(all_leave(copies));
  writing = FileDescriptor{};
  std::string text;
  std::array<char, 4096> buffer{};
  for (ssize_t size = 0; (size = read(reading.get(), buffer.data(), buffer.size())) > 0;) {
    text.append(buffer.data(), static_cast<std::size_t>(size));
  }
  const std::regex whole{
      R"(\d\d:\d\d:\d\d\.\d\d\d  \[\d+\]\s+\d+ live  ([-+x] [-+x\d ]+( and \d+ more)?|joined|left).*)"};
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) EXPECT_TRUE(std::regex_match(line, whole)) << line;
}

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
