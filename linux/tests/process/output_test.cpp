// What a copy prints, as text and as JSON Lines. Standard output can be full, closed, gone or stuck. None of it may
// cost more than the copy itself.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
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

/// What copies write into and the test reads, or not: a pipe or a pair of sockets.
class Channel : public CopiesTest, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    CopiesTest::SetUp();
    std::array<int, 2> ends{};
    const bool is_pipe = std::string_view{GetParam()} == "Pipe";
    check(is_pipe ? pipe2(ends.data(), O_CLOEXEC) : socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()),
          "");
    reading = FileDescriptor{ends[0]};
    writing = FileDescriptor{ends[1]};
  }

  [[nodiscard]] Copies start_into_it(int count) const {
    return start_many(count, {.before_exec = [this] { dup2(writing.get(), STDOUT_FILENO); }});
  }
  [[nodiscard]] int owner() const { return fcntl(writing.get(), F_GETOWN); }
  [[nodiscard]] bool is_async() const { return (fcntl(writing.get(), F_GETFL) & O_ASYNC) != 0; }

  FileDescriptor reading;
  FileDescriptor writing;
};

TEST_P(Channel, WhoseReaderGoesAwayEndsACopyThatSleeps) {
  Copy witness = start_alone();
  Copies copies = start_into_it(1);
  ASSERT_TRUE(all_show({&witness}, 2));
  EXPECT_TRUE(all_sleep({&witness, &copies[0]}));
  reading = FileDescriptor{};  // as `| head -1` does
  EXPECT_EQ(copies[0].exit_code(), 0) << copies[0].notes();
  EXPECT_TRUE(witness.prints(fmt::format("1 live  - {}", copies[0].pid())));
}

TEST_P(Channel, WhoseReaderGoesAwayEndsAllCopiesThatShareItEvenIfOneWasKilledAndOneHasLeft) {
  Copy witness = start_alone();
  Copies copies = start_into_it(6);
  ASSERT_TRUE(all_show({&witness}, 7));
  for (const bool killed : {true, false}) {
    const int before = owner();
    const auto has_it = [&](const Copy& copy) { return copy.pid() == before; };
    const auto place = std::ranges::find_if(copies, has_it);
    ASSERT_NE(place, copies.end());
    Copy one = take(copies, static_cast<std::size_t>(place - copies.begin()));
    one.signal(killed ? SIGKILL : SIGTERM);
    EXPECT_EQ(one.exit_code(), killed ? -SIGKILL : 0);
    EXPECT_TRUE(eventually([&] { return owner() != 0 && owner() != before; })) << "another one has its turn";
  }
  EXPECT_TRUE(all_sleep(copies));
  reading = FileDescriptor{};
  for (Copy& copy : copies) EXPECT_EQ(copy.exit_code(), 0);
  EXPECT_TRUE(all_show({&witness}, 1));
  EXPECT_FALSE(is_async()) << "as it was before";
}

TEST_P(Channel, ThatIsReadAllTheTimeEndsNobody) {
  Copies copies = start_into_it(1);
  fcntl(reading.get(), F_SETFL, O_NONBLOCK);
  std::array<char, 4096> text{};
  ASSERT_TRUE(eventually([&] { return read(reading.get(), text.data(), text.size()) > 0; }));
  EXPECT_EQ(owner(), copies[0].pid());
  for (int i = 0; i < 1000; ++i) (void)!read(reading.get(), text.data(), text.size());
  Copy other = start();
  EXPECT_TRUE(all_show({&other}, 2));
  expect_clean_end({&copies[0], &other});
  EXPECT_FALSE(is_async());
  EXPECT_EQ(owner(), 0);
}

TEST_P(Channel, ThatSignalsSomebodyElseIsLeftAsItIs) {
  fcntl(writing.get(), F_SETOWN, getpid());
  Copies copies = start_into_it(1);
  Copy other = start();
  EXPECT_TRUE(all_show({&other}, 2));
  EXPECT_FALSE(is_async());
  expect_clean_end({&copies[0], &other});
  EXPECT_FALSE(is_async());
  EXPECT_EQ(owner(), getpid());
}

INSTANTIATE_TEST_SUITE_P(Each, Channel, testing::Values("Pipe", "Socket"),
                         [](const auto& test) { return std::string{test.param}; });

// A terminal sends SIGHUP itself. Whoever shares it would get a signal for each key.
TEST_F(Output, ToATerminalAFileOrNothingIsLeftAsItIs) {
  const auto is_async = [](const Copy& copy) {
    std::ifstream file{fmt::format("/proc/{}/fdinfo/1", copy.pid())};
    std::string flags;
    for (std::string word; file >> word;) {
      if (word == "flags:") file >> flags;
    }
    return (std::stoi(flags, nullptr, 8) & O_ASYNC) != 0;
  };
  const auto write_to = [](const std::string& file) {
    return Launch{.before_exec = [file] { dup2(open(file.c_str(), O_WRONLY | O_CREAT, 0600), STDOUT_FILENO); }};
  };
  Copies copies = start_together(1);
  copies.push_back(start({.on_terminal = true}));
  for (const std::string& file : {std::string{"/dev/null"}, path()}) copies.push_back(start(write_to(file)));
  ASSERT_TRUE(all_show({&copies[0]}, 4));
  EXPECT_TRUE(all_sleep(copies));
  EXPECT_TRUE(is_async(copies[0])) << "the test can see it";
  for (std::size_t i = 1; i < copies.size(); ++i) EXPECT_FALSE(is_async(copies[i]));
  expect_clean_end(copies);
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
  for (const char* const no_colours : {"TERM=dumb", "TERM="}) {
    EXPECT_FALSE(is_coloured({.through = {"env", "-u", "NO_COLOR", no_colours}, .on_terminal = true}));
  }
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
