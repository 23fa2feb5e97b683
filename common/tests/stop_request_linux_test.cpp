#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>

#include "stop_request.h"

namespace share_data::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

// A request stays for as long as the process, so it is made in a process of its own.
TEST(StopRequest, ComesByItselfAfterItsTimeAndRunsOutOfPatienceThreeSecondsLater) {
  const auto comes_in_time = [] {
    const auto start = steady_clock::now();
    stop_request::start_catching(200ms);
    const bool before = stop_request::made() || stop_request::out_of_patience();
    while (!stop_request::made()) pause();
    const auto made = steady_clock::now();
    const bool at_once = stop_request::out_of_patience();
    while (!stop_request::out_of_patience()) pause();
    const auto waited = steady_clock::now() - made;
    return !before && made - start >= 200ms && !at_once && waited > 2900ms && waited < 20s;
  };
  EXPECT_EXIT(_exit(comes_in_time() ? 0 : 1), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace share_data::test
