#include "identity.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <limits>
#include <random>

#include "bystander.h"
#include "file_descriptor.h"
#include "waiting.h"

namespace share_data::test {
namespace {

constexpr Identity started_later(Identity identity) { return Identity{static_cast<std::uint64_t>(identity) + 1}; }

bool is_readable(int fd) {
  pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
  return poll(&entry, 1, 0) == 1;
}

TEST(Identity, OfThisProcess) {
  EXPECT_EQ(own_identity(), identity_of(getpid()));
  EXPECT_EQ(pid_of(own_identity()), static_cast<std::uint32_t>(getpid()));
  EXPECT_TRUE(is_alive(own_identity()));
}

TEST(Identity, KeepsTheLow32BitsOfTheStartTime) {
  EXPECT_EQ(make_identity(7, 0x1'0000'0005), make_identity(7, 5));
  EXPECT_EQ(pid_of(make_identity(7, std::numeric_limits<std::uint64_t>::max())), 7U);
}

TEST(Identity, AProcessIsAliveUntilItIsKilled) {
  Bystander bystander;
  EXPECT_TRUE(is_alive(bystander.identity()));
  bystander.destroy();
  EXPECT_FALSE(is_alive(bystander.identity())) << "a zombie is dead";
  bystander.bury();
  EXPECT_FALSE(is_alive(bystander.identity()));
}

TEST(Identity, AStoppedProcessIsAlive) {
  const Bystander bystander;
  kill(bystander.pid(), SIGSTOP);
  EXPECT_TRUE(is_alive(bystander.identity()));
}

TEST(Identity, TheSamePidStartedAtAnotherTimeIsAnotherProcess) {
  EXPECT_FALSE(is_alive(started_later(own_identity())));
  EXPECT_TRUE(open_pidfd(started_later(own_identity())).dead);
}

TEST(Identity, APidThatIsUsedAgainIsNotTakenForTheDead) {
  Bystander first;
  const pid_t pid = first.pid();
  first.bury();
  for (int attempt = 0; attempt < 100; ++attempt) {
    const Bystander second{pid};
    if (second.pid() != pid) continue;                    // another process got it, or we may not choose
    if (second.identity() == first.identity()) continue;  // still the same clock tick
    EXPECT_FALSE(is_alive(first.identity()));
    EXPECT_TRUE(open_pidfd(first.identity()).dead);
    EXPECT_TRUE(is_alive(second.identity()));
    return;
  }
  GTEST_SKIP() << "could not have a pid used again; writing ns_last_pid needs root";
}

TEST(Identity, GarbageIsDeadAndHarmless) {
  std::mt19937_64 random{42};
  for (int i = 0; i < 100000; ++i) {
    const Identity garbage{random() | 1};
    if (pid_of(garbage) > 4194304U) {
      EXPECT_FALSE(is_alive(garbage));
      EXPECT_TRUE(open_pidfd(garbage).dead);
      EXPECT_EQ(running_seconds(garbage), 0);
    }
  }
  // As a pid_t these would mean all processes, or a whole group of them.
  for (const std::uint64_t pid : {0x0000'0000ULL, 0xffff'ffffULL, 0x8000'0000ULL, 0xffff'0000ULL}) {
    EXPECT_FALSE(is_alive(Identity{pid << 32U | 5U}));
    EXPECT_TRUE(open_pidfd(Identity{pid << 32U | 5U}).dead);
  }
}

TEST(Identity, APidfdGetsReadableWhenTheProcessDies) {
  Bystander bystander;
  const Pidfd pidfd = open_pidfd(bystander.identity());
  const FileDescriptor owner{pidfd.fd};
  ASSERT_GE(pidfd.fd, 0);
  EXPECT_FALSE(pidfd.dead);
  EXPECT_FALSE(is_readable(pidfd.fd));
  bystander.destroy();
  EXPECT_TRUE(eventually([&] { return is_readable(pidfd.fd); }));
}

TEST(Identity, ThereIsNoPidfdOfTheDead) {
  Bystander bystander;
  bystander.destroy();
  EXPECT_TRUE(open_pidfd(bystander.identity()).dead) << "of a zombie";
  bystander.bury();
  EXPECT_TRUE(open_pidfd(bystander.identity()).dead);
}

TEST(Identity, RunningSecondsGrow) {
  const Bystander bystander;
  const double first = running_seconds(bystander.identity());
  EXPECT_LT(first, 60);
  EXPECT_TRUE(eventually([&] { return running_seconds(bystander.identity()) > first; }));
}

TEST(Identity, LooksAtProcessesWithoutASignal) {
  const Bystander bystander;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(is_alive(bystander.identity()));
  const FileDescriptor pidfd{open_pidfd(bystander.identity()).fd};
  EXPECT_TRUE(bystander.is_unharmed());
}

TEST(Namespaces, AreThoseThatTheKernelNames) {
  EXPECT_NE(own_namespaces(), 0U);
  EXPECT_EQ(own_namespaces(), own_namespaces());
}

}  // namespace
}  // namespace share_data::test
