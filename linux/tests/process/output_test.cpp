// What a copy prints, as text and as JSON Lines. Standard output can be full, closed, gone or stuck. None of it may
// cost more than the copy itself.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>

#include "copies.h"

namespace share_data::test {
namespace {

using Output = CopiesTest;

/// In the child: standard output or error becomes a pipe in which there is room for so many bytes and no more.
void fill(int fd = STDOUT_FILENO, int room = 0) {
  const int flags = fcntl(fd, F_GETFL);
  fcntl(fd, F_SETFL, flags | O_NONBLOCK);
  for (int left = fcntl(fd, F_SETPIPE_SZ, 4096); left > room && write(fd, "\n", 1) == 1;) --left;
  fcntl(fd, F_SETFL, flags);
}

TEST_F(Output, AReaderWhoGoesAwayEndsTheCopyCleanly) {
  Copies copies = start_together(2);
  copies[1].close_output();  // as `| head -1` does
  Copy other = start();
  EXPECT_EQ(copies[1].exit_code(), 0);
  EXPECT_TRUE(copies[0].prints(fmt::format("- {}", copies[1].pid())));
  EXPECT_TRUE(all_show({&copies[0], &other}, 2));
}

TEST_F(Output, AReaderWhoIsGoneBeforeTheFirstLineLeavesNothingBehind) {
  Copy copy = start({.before_exec = [] {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) _exit(1);
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
  }});
  EXPECT_EQ(copy.exit_code(), 0);
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(Output, AFileThatMayNotGrowIsAnErrorAtTheLineThatDoesNotFit) {
  Copy witness = start_alone();
  Copy copy = start({.before_exec = [&] {
    const rlimit small{.rlim_cur = 60, .rlim_max = 60};
    setrlimit(RLIMIT_FSIZE, &small);
    ::signal(SIGXFSZ, SIG_IGN);
    dup2(open(path().c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO);
  }});
  ASSERT_TRUE(all_show({&witness}, 2));
  Copy other = start();
  EXPECT_TRUE(failed(copy.answer(), 1, "share_data: standard output: File too large"));
  EXPECT_TRUE(all_show({&witness, &other}, 2));
  EXPECT_TRUE(witness.prints(fmt::format("- {}", copy.pid()))) << "it was not killed";
}

TEST_F(Output, AClosedStandardOutputIsAnError) {
  const Answer answer = start({.before_exec = [] { close(STDOUT_FILENO); }}).answer();
  EXPECT_EQ(answer.exit_code, 1);
  EXPECT_EQ(answer.notes, "share_data: standard output: Bad file descriptor\n");
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(Output, ClosedStandardInputAndErrorDoNotMatter) {
  Copy copy = start({.before_exec = [] {
    close(STDIN_FILENO);
    close(STDERR_FILENO);
  }});
  ASSERT_TRUE(all_show({&copy}, 1));
  EXPECT_EQ(copy.stop(), 0);
  EXPECT_EQ(copy.lines().size(), 2U) << copy.output();
}

TEST_F(Output, ACopyWhoseLinesNobodyReadsLeavesWhenAskedTo) {
  Copy witness = start_alone();
  Copy stuck = start({.before_exec = [] { fill(); }});
  ASSERT_TRUE(all_show({&witness}, 2));
  Copy brief = start({.options = {"--for", "0.5"}, .before_exec = [] { fill(); }});
  stuck.signal(SIGTERM);
  for (Copy* const copy : {&stuck, &brief}) {
    EXPECT_TRUE(eventually([&] { return copy->ended(); }, std::chrono::seconds{sanitized ? 60 : 15}));
    EXPECT_EQ(copy->exit_code(), 0);
    EXPECT_TRUE(witness.prints(fmt::format("- {}", copy->pid())));
  }
  expect_clean_end({&witness});
}

// It has notified them before it tries to print its last line, which takes it 3 s.
TEST_F(Output, ACopyThatLeavesAndCannotPrintDelaysNobody) {
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
    constexpr int one_line = 60;
    Copy witness = start();
    Copy copy =
        start({.options = {fd == STDERR_FILENO ? "--explain" : "--quiet"}, .before_exec = [=] { fill(fd, one_line); }});
    ASSERT_TRUE(all_show({&witness}, 2));
    copy.signal(SIGTERM);
    EXPECT_TRUE(witness.prints(fmt::format("1 live  - {}", copy.pid())));
    EXPECT_FALSE(fd == STDOUT_FILENO && copy.ended()) << "the witness has waited for the last line";
    EXPECT_EQ(copy.exit_code(), 0);
    expect_clean_end({&witness});
  }
}

TEST_F(Output, CopiesWhoseLinesNobodyReadsHideNoDeath) {
  Copies copies = start_together(1);
  Copies stuck;
  for (int i = 0; i < scaled(20); ++i) {
    stuck.push_back(start({.before_exec = [] { fill(); }}));
    ASSERT_TRUE(all_show(copies, i + 2));
  }
  Copy victim = start();
  ASSERT_TRUE(all_show({&copies[0], &victim}, scaled(20) + 2));
  victim.destroy();
  EXPECT_TRUE(all_show(copies, scaled(20) + 1));
  std::ranges::move(stuck, std::back_inserter(copies));  // and from now on, somebody reads
  expect_all_is_well(copies);
}

TEST_F(Output, ALineWaitsForAReaderWhoIsSlow) {
  for (const int extra_flags : {0, O_NONBLOCK}) {
    Copy copy = start({.before_exec = [=] {
      fill();
      fcntl(STDOUT_FILENO, F_SETFL, fcntl(STDOUT_FILENO, F_GETFL) | extra_flags);
    }});
    ASSERT_TRUE(eventually([&] { return attached_to(key()) == 1; }));
    let_it_try();
    EXPECT_TRUE(copy.prints("1 live  joined"));
    EXPECT_EQ(copy.stop(), 0);
    EXPECT_TRUE(contains(copy.lines().back(), "0 live  left"));
  }
}

TEST_F(Output, NotesThatNobodyReadsHoldUpNoLine) {
  Copy copy = start({.options = {"--explain"}, .before_exec = [] { fill(STDERR_FILENO); }});
  EXPECT_TRUE(copy.prints("1 live  joined"));
  EXPECT_EQ(copy.stop(), 0);
}

TEST_F(Output, AClosedTerminalEndsTheCopyCleanly) {
  Copy witness = start();
  Copy copy = start({.options = {"--color", "never"}, .on_terminal = true});
  ASSERT_TRUE(all_show({&witness, &copy}, 2));
  copy.close_output();  // the kernel sends SIGHUP
  EXPECT_EQ(copy.exit_code(), 0);
  EXPECT_TRUE(witness.prints(fmt::format("1 live  - {}", copy.pid())));
}

TEST_F(Output, AClosedTerminalThatSendsNoSignalEndsTheCopyAtItsNextLine) {
  const auto give_up_terminal = [] {
    ::signal(SIGHUP, SIG_IGN);
    ioctl(STDIN_FILENO, TIOCNOTTY);
  };
  Copy copy = start({.options = {"--color", "never"}, .before_exec = give_up_terminal, .on_terminal = true});
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
  Copies copies = start_many(scaled(20), {.before_exec = [&] { dup2(writing.get(), STDOUT_FILENO); }});
  ASSERT_TRUE(eventually([&] { return attached_to(key()) == copies.size(); }));
  EXPECT_TRUE(all_leave(copies));
  std::ifstream lines{fmt::format("/proc/self/fd/{}", reading.get())};
  writing = FileDescriptor{};  // not before: a pipe that nobody writes to cannot be opened
  const std::regex whole{
      R"(\d\d:\d\d:\d\d\.\d\d\d  \[\d+\]\s+\d+ live  ([-+x] [-+x\d ]+( and \d+ more)?|joined|left).*)"};
  for (std::string line; std::getline(lines, line);) EXPECT_TRUE(std::regex_match(line, whole)) << line;
}

using Json = CopiesTest;
using nlohmann::json;

TEST_F(Json, TellsTheStoryOfACopyInObjectsWithAllFields) {
  Copy copy = start({.options = {"--json"}});
  // The last line, which is of this kind.
  const auto last_line = [&](const std::string& event) {
    EXPECT_TRUE(eventually([&] { return !copy.lines().empty() && contains(copy.lines().back(), event); }));
    return json::parse(copy.lines().back());
  };
  const json joined = last_line(R"("event":"joined")");
  EXPECT_EQ(joined.at("live"), 1);
  EXPECT_EQ(joined.at("joined"), json::array({copy.pid()}));

  Copy other = start();
  const json changed = last_line(R"("event":"changed")");
  EXPECT_EQ(changed.at("live"), 2);
  EXPECT_EQ(changed.at("joined"), json::array({other.pid()}));

  other.destroy();
  const json killed = last_line(fmt::format(R"("killed":[{}])", other.pid()));
  EXPECT_EQ(killed.at("live"), 1);
  EXPECT_EQ(killed.at("plain"), 2) << "nobody counted the killed one down";

  EXPECT_EQ(copy.stop(), 0);
  const json left = last_line(R"("event":"left")");
  EXPECT_EQ(left.at("live"), 0);
  EXPECT_EQ(left.at("left"), json::array({copy.pid()}));

  const std::regex rfc3339{R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d))"};
  for (const std::string& line : copy.lines()) {
    const json object = json::parse(line);
    EXPECT_EQ(object.size(), 9U) << line;
    EXPECT_TRUE(std::regex_match(object.at("time").get<std::string>(), rfc3339)) << line;
    EXPECT_EQ(object.at("pid"), copy.pid());
    EXPECT_TRUE(object.at("live").is_number_unsigned());
    EXPECT_TRUE(object.at("plain").is_number_integer());
    for (const char* const list : {"joined", "left", "killed"}) EXPECT_TRUE(object.at(list).is_array()) << line;
  }
}

TEST_F(Json, HasNoColoursAndKeepsItsNotesAsText) {
  Copy copy = start({.options = {"--json", "--color", "always"}});
  ASSERT_TRUE(copy.prints("joined"));
  EXPECT_FALSE(contains(copy.output(), "\x1b"));
  EXPECT_EQ(copy.notes().find("share_data: created segment "), 0U) << copy.notes();
}

}  // namespace
}  // namespace share_data::test
