// What a copy prints, as text and as JSON Lines. Standard output can be full, closed, gone or stuck. None of it may
// cost more than the copy itself.
#include <sys/socket.h>

#include <algorithm>
#include <regex>

#include "copies.h"

namespace share_data::test {
namespace {

using namespace std::chrono_literals;

using Output = CopiesTest;

/// In the child: standard output or error becomes a pipe in which there is room for so many bytes and no more.
void fill(int fd = STDOUT_FILENO, int room = 0) {
  const int flags = fcntl(fd, F_GETFL);
  fcntl(fd, F_SETFL, flags | O_NONBLOCK);
  for (int left = fcntl(fd, F_SETPIPE_SZ, 4096); left > room && write(fd, "\n", 1) == 1;) --left;
  fcntl(fd, F_SETFL, flags);
}

/// What copies write into and the test reads, or not.
class Channel : public CopiesTest, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    CopiesTest::SetUp();
    const std::string kind = GetParam();
    std::array<int, 2> ends{};
    if (kind == "Pipe") check(pipe2(ends.data(), O_CLOEXEC), "pipe2");
    if (kind == "Socket") check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), "socketpair");
    if (kind == "Terminal") check(openpty(&ends[0], &ends[1], nullptr, nullptr, nullptr), "openpty");
    if (kind == "File") ends = {open("/dev/null", O_RDONLY), open(path().c_str(), O_WRONLY | O_CREAT, 0600)};
    reading = FileDescriptor{ends[0]};
    writing = FileDescriptor{ends[1]};
    tells_of_its_reader = kind == "Pipe" || kind == "Socket";
  }

  /// `owns`: the signals of the pipe go to the process already before it executes the program.
  [[nodiscard]] Copies start_into_it(int count, bool owns = false) const {
    return start_many(count, {.before_exec = [this, owns] {
                        dup2(writing.get(), STDOUT_FILENO);
                        if (owns) fcntl(STDOUT_FILENO, F_SETOWN, getpid());
                      }});
  }
  [[nodiscard]] int owner() const { return fcntl(writing.get(), F_GETOWN); }
  [[nodiscard]] bool is_async() const { return (fcntl(writing.get(), F_GETFL) & O_ASYNC) != 0; }

  FileDescriptor reading;
  FileDescriptor writing;
  bool tells_of_its_reader = false;
};

TEST_P(Channel, WhoseReaderGoesAwayEndsAllCopiesThatShareItEvenIfOneWasKilledAndOneHasLeft) {
  if (!tells_of_its_reader) GTEST_SKIP() << "a terminal sends SIGHUP itself, and a file has no reader";
  Copy witness = start_alone();
  Copies copies = start_into_it(6, true);
  ASSERT_TRUE(all_show({&witness}, 7));
  for (const bool killed : {true, false}) {
    EXPECT_TRUE(all_sleep(copies)) << "each asks for it before it sleeps";
    const int before = owner();
    const auto place = std::ranges::find(copies, before, &Copy::pid);
    ASSERT_NE(place, copies.end());
    Copy one = take(copies, static_cast<std::size_t>(place - copies.begin()));
    one.signal(killed ? SIGKILL : SIGTERM);
    EXPECT_EQ(one.exit_code(), killed ? -SIGKILL : 0);
    // A process that was killed keeps it until its parent has asked for its exit code; then the next change is a turn.
    if (killed) copies.push_back(std::move(start_into_it(1).front()));
    EXPECT_TRUE(eventually([&] { return owner() != 0 && owner() != before; })) << "another one has its turn";
  }
  EXPECT_TRUE(all_sleep(copies));
  reading = FileDescriptor{};  // as `| head -1` does
  for (Copy& copy : copies) EXPECT_EQ(copy.exit_code(), 0) << copy.notes();
  EXPECT_TRUE(all_show({&witness}, 1));
  EXPECT_FALSE(is_async()) << "as it was before";
}

// Whoever shares a terminal would get a signal for each key.
TEST_P(Channel, ThatIsReadEndsNobodyAndIsLeftAsItWas) {
  fcntl(reading.get(), F_SETFL, O_NONBLOCK);
  std::array<char, 4096> text{};
  for (const pid_t owner_before : {0, getpid()}) {
    fcntl(writing.get(), F_SETOWN, owner_before);
    const bool is_taken = std::string{GetParam()} != "Terminal" && owner_before == 0;
    Copies copies = start_into_it(1);
    copies.push_back(start());
    ASSERT_TRUE(all_show({&copies[1]}, 2)) << copies[0].notes();
    EXPECT_TRUE(all_sleep(copies));
    EXPECT_EQ(is_async(), is_taken && tells_of_its_reader);
    EXPECT_EQ(owner(), is_taken ? copies[0].pid() : owner_before);
    for (int i = 0; i < 1000; ++i) (void)!read(reading.get(), text.data(), text.size());
    EXPECT_TRUE(all_sleep(copies));
    expect_clean_end(copies);
    EXPECT_FALSE(is_async());
    EXPECT_EQ(owner(), owner_before);
  }
}

INSTANTIATE_TEST_SUITE_P(Each, Channel, testing::Values("Pipe", "Socket", "Terminal", "File"),
                         [](const auto& test) { return std::string{test.param}; });

TEST_F(Output, ThatCannotBeWrittenEndsTheCopyWhichHasLeftAndNoOtherDescriptorMatters) {
  struct Loss {
    std::function<void()> before_exec;
    int exit_code;
    bool attaches;  ///< and says so first
    const char* notes;
  };
  const auto become_full_disk = [] { dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO); };
  const auto close_input_and_error = [] {
    close(STDIN_FILENO);
    close(STDERR_FILENO);
  };
  Copy witness = start_alone();
  for (const auto& [before_exec, exit_code, attaches, notes] :
       {Loss{[] { close(STDOUT_FILENO); }, 1, false, "share_data: standard output: Bad file descriptor\n"},
        Loss{become_full_disk, 1, true, "share_data: standard output: No space left on device\n"},
        Loss{close_input_and_error, 0, false, ""}}) {
    Copy copy = start({.options = {"--for", "0.3"}, .before_exec = before_exec});
    EXPECT_EQ(copy.exit_code(), exit_code);
    EXPECT_EQ(copy.notes().find("attached") != std::string::npos, attaches) << copy.notes();
    EXPECT_TRUE(copy.notes().ends_with(notes)) << copy.notes();
    EXPECT_EQ(witness.output().find(fmt::format("x {}", copy.pid())), std::string::npos) << witness.output();
  }
  expect_clean_end({&witness});
}

// It has notified the others before it tries to print its last line, which takes it 3 s.
TEST_F(Output, ThatNobodyReadsDelaysNobodyAndTheCopyLeavesWhenAskedTo) {
  constexpr int one_line = 60;
  Copy witness = start_alone();
  for (const auto& each : {std::pair{STDOUT_FILENO, 0}, {STDOUT_FILENO, one_line}, {STDERR_FILENO, 0}}) {
    const auto [fd, room] = each;
    const std::string option = fd == STDERR_FILENO ? "--explain" : "--quiet";
    Copy copy = start({.options = {option}, .before_exec = [=] { fill(each.first, each.second); }});
    ASSERT_TRUE(all_show({&witness}, 2));
    const auto asked = std::chrono::steady_clock::now();
    copy.signal(SIGTERM);
    EXPECT_TRUE(witness.prints(fmt::format("1 live  - {}", copy.pid())));
    EXPECT_FALSE(room == one_line && copy.ended()) << "the witness has waited for the last line";
    copy.signal(SIGTERM);  // a second request
    EXPECT_TRUE(eventually([&] { return copy.ended(); }));
    EXPECT_EQ(copy.exit_code(), 0);
    const auto waited = std::chrono::steady_clock::now() - asked;
    EXPECT_LT(waited, 20s);
    EXPECT_TRUE(fd == STDERR_FILENO || waited > 2900ms) << "it has given its reader no time";
  }
  Copy brief = start({.options = {"--for", "0.5"}, .before_exec = [] { fill(); }});
  EXPECT_TRUE(eventually([&] { return brief.ended(); }));
  expect_clean_end({&witness, &brief});
}

TEST_F(Output, OfCopiesThatNobodyReadsHidesNoDeathAndWaitsForAReader) {
  Copies copies = start_together(1);
  for (const int extra_flags : {0, O_NONBLOCK}) {
    add(copies, start_many(scaled(10), {.before_exec = [=] {
                             fill();
                             fcntl(STDOUT_FILENO, F_SETFL, fcntl(STDOUT_FILENO, F_GETFL) | extra_flags);
                           }}));
  }
  Copy victim = start();
  ASSERT_TRUE(all_show({&copies[0], &victim}, 2 * scaled(10) + 2));
  victim.destroy();
  EXPECT_TRUE(all_show({&copies[0]}, 2 * scaled(10) + 1));
  expect_all_is_well(copies);  // from now on, somebody reads
}

TEST_F(Output, AClosedTerminalEndsTheCopyCleanly) {
  Copy witness = start_alone();
  const auto give_up_terminal = [] {
    ::signal(SIGHUP, SIG_IGN);
    ioctl(STDIN_FILENO, TIOCNOTTY);
  };
  for (const bool sends_signal : {true, false}) {
    const std::function<void()> before = sends_signal ? std::function<void()>{} : give_up_terminal;
    Copy copy = start({.options = {"--color", "never"}, .before_exec = before, .on_terminal = true});
    ASSERT_TRUE(all_show({&witness, &copy}, 2));
    copy.close_output();  // the kernel sends SIGHUP
    Copies others;
    if (!sends_signal) others.push_back(start());  // then its next line ends it
    EXPECT_EQ(copy.exit_code(), 0) << copy.notes();
    EXPECT_TRUE(witness.prints(fmt::format("- {}", copy.pid())));
  }
}

TEST_F(Output, OnlyATerminalGetsColours) {
  const auto is_coloured = [&](const char* environment, bool on_terminal, const char* option = "auto") {
    Copy copy = start({.options = {"--color", option},
                       .through = {"env", "-u", "NO_COLOR", "TERM=xterm", environment},
                       .on_terminal = on_terminal});
    EXPECT_TRUE(copy.prints("joined"));
    return copy.output().find('\x1b') != std::string::npos;
  };
  EXPECT_TRUE(is_coloured("A=", true));
  EXPECT_FALSE(is_coloured("A=", false));
  for (const char* const no_colours : {"NO_COLOR=1", "TERM=dumb", "TERM="}) {
    EXPECT_FALSE(is_coloured(no_colours, true));
  }
  EXPECT_FALSE(is_coloured("A=", true, "never"));
  EXPECT_TRUE(is_coloured("A=", false, "always"));
}

TEST_F(Output, LinesOfManyCopiesInOnePipeDoNotMix) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const FileDescriptor reading{ends[0]};
  FileDescriptor writing{ends[1]};
  Copies copies = start_many(scaled(20), {.before_exec = [&] { dup2(writing.get(), STDOUT_FILENO); }});
  ASSERT_TRUE(eventually([&] { return attached_to(key()) == copies.size(); }));
  expect_all_leave(copies);
  std::ifstream lines{fmt::format("/proc/self/fd/{}", reading.get())};
  writing = FileDescriptor{};  // not before: a pipe that nobody writes to cannot be opened
  const std::regex whole{
      R"(\d\d:\d\d:\d\d\.\d\d\d  \[\d+\]\s+\d+ live  ([-+x] [-+x\d ]+( and \d+ more)?|joined|left).*)"};
  for (std::string line; std::getline(lines, line);) EXPECT_TRUE(std::regex_match(line, whole)) << line;
}

}  // namespace
}  // namespace share_data::test
