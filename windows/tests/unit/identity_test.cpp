#include "identity.h"

#include <gtest/gtest.h>

#include "copy.h"

namespace share_data {
namespace {

TEST(Identity, OfThisProcessIsAlive) {
  EXPECT_EQ(pid_of(own_identity()), GetCurrentProcessId());
  EXPECT_TRUE(is_alive(own_identity()));
}

TEST(Identity, OfAnotherProcessThatHadThePidIsDead) {
  const auto other = Identity{static_cast<std::uint64_t>(own_identity()) ^ 1U};
  EXPECT_EQ(pid_of(other), GetCurrentProcessId());
  EXPECT_FALSE(is_alive(other));
}

TEST(Identity, OfGarbageIsDead) {
  EXPECT_FALSE(is_alive(Identity::nobody));
  EXPECT_FALSE(is_alive(Identity{1}));
  EXPECT_FALSE(is_alive(Identity{0xffff'ffff'ffff'ffffU}));
  EXPECT_FALSE(is_alive(make_identity(0x1fff'fffcU, 7)));
  EXPECT_FALSE(is_alive(Identity{static_cast<std::uint64_t>(own_identity()) | std::uint64_t{2} << 32U}));
}

TEST(Identity, OfAProcessThatMayNotBeOpenedIsAliveOnlyIfItSaysSo) {
  const test::Folder folder;
  const wchar_t* guarded = test::runs_under_wine() ? L"O:SYD:" : L"D:";  // under Wine the owner may do everything
  const test::Copy copy{folder.exe(), test::Start{.security = guarded, .suspended = true}};
  if (Handle{OpenProcess(SYNCHRONIZE, FALSE, copy.pid())}) GTEST_SKIP() << "we may open any process";
  const Identity said_so = make_identity(copy.pid(), 7, true);
  EXPECT_TRUE(is_alive(said_so));
  EXPECT_EQ(pid_of(said_so), copy.pid());
  EXPECT_FALSE(open_process(said_so).handle);
  EXPECT_FALSE(is_alive(make_identity(copy.pid(), 7))) << "another process has the pid now";
}

TEST(Identity, SaysWhetherOthersMayOpenTheProcess) {
  EXPECT_FALSE(is_guarded(own_identity()));
  EXPECT_TRUE(is_guarded(own_identity(false)));
  EXPECT_TRUE(is_alive(own_identity(false)));
}

TEST(Identity, OfAProcessThatHasEndedIsDeadWhileSomebodyHoldsItsHandle) {
  const test::Folder folder;
  test::Copy copy{folder.exe(), {L"--for", L"60"}};
  ASSERT_TRUE(test::eventually([&] { return copy.shows() == 1U; }));
  const auto found = identity_of_pid(copy.pid());
  ASSERT_TRUE(found);
  EXPECT_TRUE(is_alive(*found));
  const OpenedProcess watched = open_process(*found);
  ASSERT_TRUE(watched.handle);
  copy.terminate();
  EXPECT_EQ(WaitForSingleObject(watched.handle.get(), 0), WAIT_OBJECT_0);
  EXPECT_FALSE(is_alive(*found));
}

TEST(Identity, KnowsWhenTheProcessWasStarted) {
  const auto started = start_of(own_identity());
  ASSERT_TRUE(started);
  EXPECT_LE(*started, std::chrono::system_clock::now());
  EXPECT_GE(*started, std::chrono::system_clock::now() - std::chrono::hours{1});
  EXPECT_FALSE(start_of(Identity{1}));
}

}  // namespace
}  // namespace share_data
