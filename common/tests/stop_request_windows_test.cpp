#include <gtest/gtest.h>
#include <windows.h>

#include <chrono>
#include <string>

#include "log.h"
#include "stop_request.h"

namespace share_data::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr DWORD patience_ms = 30'000;

bool comes_within(DWORD milliseconds) {
  return WaitForSingleObject(stop_request::event(), milliseconds) == WAIT_OBJECT_0;
}

TEST(StopRequest, ComesByItselfAfterItsTimeAndStays) {
  const auto start = steady_clock::now();
  stop_request::start_catching(200ms);
  EXPECT_FALSE(stop_request::made());
  EXPECT_TRUE(comes_within(patience_ms));
  EXPECT_GE(steady_clock::now() - start, 190ms);  // the clocks that measure and wake differ a little
  EXPECT_TRUE(comes_within(0)) << "a second time";
  EXPECT_TRUE(stop_request::made());
}

TEST(StopRequest, ComesAfterTheShortestTime) {
  stop_request::start_catching(stop_request::Duration{1e-300});
  EXPECT_TRUE(comes_within(patience_ms));
}

TEST(StopRequest, CanBeAsFarOffAsANumberCanSay) {
  stop_request::start_catching(stop_request::Duration{1e300});
  EXPECT_FALSE(comes_within(100));
  EXPECT_FALSE(stop_request::made());
}

/// Presses Ctrl+C as the system does: on a new thread of the process.
void press_ctrl_c() {
  const auto routine = GetProcAddress(GetModuleHandleW(L"kernelbase.dll"), "CtrlRoutine");
  HANDLE thread = CreateThread(nullptr, 0, reinterpret_cast<LPTHREAD_START_ROUTINE>(reinterpret_cast<void*>(routine)),
                               nullptr, 0, nullptr);  // null is CTRL_C_EVENT
  ASSERT_NE(thread, nullptr);
  EXPECT_EQ(WaitForSingleObject(thread, patience_ms), WAIT_OBJECT_0);
  CloseHandle(thread);
}

TEST(StopRequest, RunsOutOfPatienceThreeSecondsLater) {
  stop_request::start_catching(1ms);
  ASSERT_TRUE(comes_within(patience_ms));
  const auto start = steady_clock::now();
  EXPECT_FALSE(stop_request::out_of_patience());
  while (!stop_request::out_of_patience() && steady_clock::now() - start < 30s) Sleep(10);
  EXPECT_GT(steady_clock::now() - start, 2900ms);
  EXPECT_TRUE(stop_request::out_of_patience());
  press_ctrl_c();
  EXPECT_TRUE(stop_request::out_of_patience()) << "a second request gives no more time";
}

}  // namespace
}  // namespace share_data::test
