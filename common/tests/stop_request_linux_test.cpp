#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <string>
#include <system_error>
#include <thread>

#include "log.h"
#include "stop_request.h"

namespace share_data::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

class StopSignal : public testing::TestWithParam<int> {
 protected:
  static void send() { kill(getpid(), GetParam()); }
};

/// A request stays for as long as the process, so each test makes it in a process of its own.
template <typename Check>
void in_a_process_of_its_own(Check holds) {
  EXPECT_EXIT(_exit(holds() ? 0 : 1), testing::ExitedWithCode(0), "");
}

TEST_P(StopSignal, IsCaught) {
  in_a_process_of_its_own([] {
    stop_request::start_catching();
    const bool before = stop_request::made() || stop_request::word() != 0;
    send();
    return !before && stop_request::made() && stop_request::word() == 1;
  });
}

TEST_P(StopSignal, StaysMade) {
  in_a_process_of_its_own([] {
    stop_request::start_catching();
    send();
    const auto until = steady_clock::now() + 50ms;
    while (steady_clock::now() < until && stop_request::made()) pause();
    send();  // once more does not kill
    return stop_request::made();
  });
}

// A shell starts what it puts into the background with SIGINT and SIGQUIT ignored, nohup with SIGHUP.
TEST_P(StopSignal, IsCaughtIfItWasInheritedAsIgnoredUnlessItIsSighup) {
  in_a_process_of_its_own([] {
    std::signal(GetParam(), SIG_IGN);
    stop_request::start_catching();
    send();
    return stop_request::made() == (GetParam() != SIGHUP);
  });
}

TEST_P(StopSignal, IsCaughtIfItWasInheritedAsBlocked) {
  in_a_process_of_its_own([] {
    sigset_t all{};
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, nullptr);
    stop_request::start_catching();
    send();
    return stop_request::made();
  });
}

/// Both ends of a pipe that takes no more.
std::array<int, 2> full_pipe() {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) throw std::system_error(errno, std::system_category(), "pipe");
  const int flags = fcntl(ends[1], F_GETFL);
  fcntl(ends[1], F_SETFL, flags | O_NONBLOCK);
  for (const std::string& text : {std::string(4096, 'x'), std::string(1, 'x')}) {
    while (write(ends[1], text.data(), text.size()) > 0) continue;
  }
  fcntl(ends[1], F_SETFL, flags);
  return ends;
}

TEST_P(StopSignal, InterruptsAWriteThatIsEnteredAfterIt) {
  in_a_process_of_its_own([] {
    const auto ends = full_pipe();
    stop_request::start_catching();
    send();
    for (int i = 0; i < 3; ++i) {
      if (write(ends[1], "x", 1) >= 0 || errno != EINTR) return false;
    }
    return true;
  });
}

INSTANTIATE_TEST_SUITE_P(Each, StopSignal, testing::Values(SIGINT, SIGTERM, SIGHUP, SIGQUIT),
                         [](const auto& test) { return "SIG" + std::string{sigabbrev_np(test.param)}; });

/// Waits in system calls, as the program does, until the request has come.
void wait_for_request() {
  while (!stop_request::made()) pause();
}

TEST(StopRequest, ComesByItselfAfterItsTime) {
  in_a_process_of_its_own([] {
    const auto start = steady_clock::now();
    stop_request::start_catching(200ms);
    const bool before = stop_request::made();
    wait_for_request();
    return !before && steady_clock::now() - start >= 200ms;
  });
}

TEST(StopRequest, ComesAfterTheShortestTime) {
  in_a_process_of_its_own([] {
    stop_request::start_catching(stop_request::Duration{1e-300});
    std::this_thread::sleep_for(50ms);
    return stop_request::made();
  });
}

TEST(StopRequest, CanBeAsFarOffAsANumberCanSay) {
  in_a_process_of_its_own([] {
    stop_request::start_catching(stop_request::Duration{1e300});
    std::this_thread::sleep_for(50ms);
    return !stop_request::made();
  });
}

TEST(StopRequest, ComesWithASignalBeforeItsTime) {
  in_a_process_of_its_own([] {
    stop_request::start_catching(1h);
    kill(getpid(), SIGTERM);
    return stop_request::made();
  });
}

TEST(StopRequest, RunsOutOfPatienceThreeSecondsLater) {
  in_a_process_of_its_own([] {
    stop_request::start_catching();
    const bool before = stop_request::out_of_patience();
    kill(getpid(), SIGTERM);
    const auto start = steady_clock::now();
    while (!stop_request::out_of_patience()) pause();
    const auto waited = steady_clock::now() - start;
    return !before && waited > 2900ms && waited < 20s;
  });
}

TEST(StandardOutput, ThatNobodyReadsIsGivenUpAfterTheRequest) {
  in_a_process_of_its_own([] {
    dup2(full_pipe()[1], STDOUT_FILENO);
    stop_request::start_catching(1ms);
    wait_for_request();
    const auto start = steady_clock::now();
    const bool given_up = write_standard_output("x") == std::errc::timed_out;
    return given_up && steady_clock::now() - start < 20s;
  });
}

TEST(StandardOutput, TakesALineAfterTheRequest) {
  in_a_process_of_its_own([] {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) return false;
    dup2(ends[1], STDOUT_FILENO);
    stop_request::start_catching(1ms);
    wait_for_request();
    char text = 0;
    return !write_standard_output("x") && read(ends[0], &text, 1) == 1 && text == 'x';
  });
}

/// How long so many notes take that nobody reads.
steady_clock::duration time_of_lost_notes(int notes) {
  const auto start = steady_clock::now();
  for (int i = 0; i < notes; ++i) write_standard_error("x");
  return steady_clock::now() - start;
}

TEST(StandardError, ThatNobodyReadsCostsASecondAtMost) {
  in_a_process_of_its_own([] {
    dup2(full_pipe()[1], STDERR_FILENO);
    stop_request::start_catching();
    return time_of_lost_notes(100) < 20s;  // not 100 s
  });
}

TEST(StandardError, ThatNobodyReadsIsNotWaitedForAfterTheRequest) {
  in_a_process_of_its_own([] {
    dup2(full_pipe()[1], STDERR_FILENO);
    stop_request::start_catching(1ms);
    wait_for_request();
    // A wait takes a second. On a slow machine, some attempts may take longer without one.
    for (int attempts = 20; attempts > 0; --attempts) {
      const pid_t child = fork();
      if (child == 0) _exit(time_of_lost_notes(1) < 900ms ? 0 : 1);
      int status = 1;
      while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
      if (status == 0) return true;
    }
    return false;
  });
}

TEST(BrokenPipe, IsAnErrorCodeAndNoDeath) {
  in_a_process_of_its_own([] {
    stop_request::start_catching();
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) return false;
    close(ends[0]);
    return write(ends[1], "x", 1) < 0 && errno == EPIPE && !stop_request::made();
  });
}

}  // namespace
}  // namespace share_data::test
