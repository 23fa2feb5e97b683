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

TEST_P(StopSignal, IsCaughtAndStaysMade) {
  in_a_process_of_its_own([] {
    stop_request::start_catching();
    const bool before = stop_request::made() || stop_request::requested != 0;
    send();
    const auto until = steady_clock::now() + 50ms;
    while (steady_clock::now() < until && stop_request::made()) pause();
    send();  // once more does not kill
    return !before && stop_request::made() && stop_request::requested == 1;
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

}  // namespace
}  // namespace share_data::test
