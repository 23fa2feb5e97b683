// A copy that is killed on entering each of its system calls in turn, from the first to the last.
#include "copies_test.h"
#include "strace.h"

namespace share_data::test {
namespace {

class KillPoint : public CopiesTest, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    CopiesTest::SetUp();
    if (!has_strace()) GTEST_SKIP() << "needs strace";
  }

  /// A whole life that ends on entering the `number`th call. False if there is no such call.
  [[nodiscard]] bool live_until(int number) const {
    Copy victim =
        start(Launch{.options = {"--for", "0.02"},
                     .through = strace(std::string{GetParam()} + ":signal=KILL:when=" + std::to_string(number))});
    const int exit_code = victim.exit_code().value_or(-1000);
    EXPECT_TRUE(exit_code == 0 || exit_code == -SIGKILL) << exit_code << victim.notes();
    return exit_code == -SIGKILL;
  }

  // The walk over the segments of the whole system can be long, and all its steps are alike.
  static constexpr int most_calls = 25;
};

TEST_P(KillPoint, TheOthersAndANewcomerShowTheTruth) {
  Copy survivor = start();
  ASSERT_TRUE(all_show({&survivor}, 1));
  for (int number = 1; number <= most_calls && live_until(number); ++number) {
    SCOPED_TRACE("killed at call " + std::to_string(number));
    ASSERT_TRUE(all_show({&survivor}, 1));
    Copy newcomer = start();
    ASSERT_TRUE(newcomer.prints("joined"));
    ASSERT_EQ(live_on(newcomer.lines().front()), 2);
    ASSERT_TRUE(all_show({&survivor, &newcomer}, 2));
    ASSERT_EQ(newcomer.stop(), 0);
  }
  EXPECT_EQ(survivor.stop(), 0);
  EXPECT_TRUE(nothing_is_left());
}

TEST_P(KillPoint, WhoComesNextIsAloneAndLeavesNothing) {
  for (int number = 1; number <= most_calls && live_until(number); ++number) {
    SCOPED_TRACE("killed at call " + std::to_string(number));
    Copy next = start();
    ASSERT_TRUE(next.prints("joined"));
    ASSERT_EQ(live_on(next.lines().front()), 1);
    ASSERT_EQ(next.stop(), 0);
    ASSERT_TRUE(nothing_is_left());
  }
}

INSTANTIATE_TEST_SUITE_P(Call, KillPoint,
                         testing::Values("shmget", "shmat", "shmctl", "shmdt", "futex", "clone3", "epoll_wait",
                                         "write", "exit_group"),
                         [](const auto& test) { return std::string{test.param}; });

}  // namespace
}  // namespace share_data::test
