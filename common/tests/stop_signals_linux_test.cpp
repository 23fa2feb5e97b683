#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <string>

#include "stop_signals.h"

namespace share_data::test {
namespace {

using namespace std::chrono_literals;

class StopSignal : public testing::TestWithParam<int> {
 protected:
  static void send() { ASSERT_EQ(kill(getpid(), GetParam()), 0); }
};

/// What was sent stays pending for good, so each test has a process of its own to send it to.
template <typename Check>
void in_a_process_of_its_own(Check holds) {
  EXPECT_EXIT(_exit(holds() ? 0 : 1), testing::ExitedWithCode(0), "");
}

bool is_readable(std::intptr_t handle) {
  pollfd entry{.fd = static_cast<int>(handle), .events = POLLIN, .revents = 0};
  return poll(&entry, 1, 0) == 1;
}

TEST_P(StopSignal, IsCaught) {
  in_a_process_of_its_own([] {
    const StopSignals stop;
    const bool before = stop.raised_within(0ms) || is_readable(stop.wait_handle());
    send();
    return !before && stop.raised_within(30s) && is_readable(stop.wait_handle());
  });
}

TEST_P(StopSignal, StaysRaised) {
  in_a_process_of_its_own([] {
    const StopSignals stop;
    send();
    return stop.raised_within(30s) && stop.raised_within(0ms) && is_readable(stop.wait_handle());
  });
}

// A shell starts what it puts into the background with SIGINT and SIGQUIT ignored, nohup with SIGHUP.
TEST_P(StopSignal, IsCaughtWhereItWasInheritedAsIgnored) {
  in_a_process_of_its_own([] {
    std::signal(GetParam(), SIG_IGN);
    const StopSignals stop;
    send();
    return stop.raised_within(30s);
  });
}

TEST_P(StopSignal, DoesNotKillEvenIfItComesAgainAtTheVeryEnd) {
  in_a_process_of_its_own([] {
    {
      const StopSignals stop;
      send();
    }
    send();
    return true;
  });
}

INSTANTIATE_TEST_SUITE_P(Each, StopSignal, testing::Values(SIGINT, SIGTERM, SIGHUP, SIGQUIT),
                         [](const auto& test) { return "SIG" + std::string{sigabbrev_np(test.param)}; });

TEST(BrokenPipe, IsAnErrorCodeAndNoDeath) {
  in_a_process_of_its_own([] {
    const StopSignals stop;
    int ends[2];
    if (pipe(ends) != 0) return false;
    close(ends[0]);
    return write(ends[1], "x", 1) < 0 && errno == EPIPE && !stop.raised_within(0ms);
  });
}

}  // namespace
}  // namespace share_data::test
