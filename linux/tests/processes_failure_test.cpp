// System calls that fail: each says what failed and what to do, and no copy hangs or stays half in.
#include <sys/resource.h>

#include <cstdlib>
#include <ostream>
#include <string>
#include <string_view>

#include "copies_test.h"
#include "strace.h"

namespace share_data::test {
namespace {

struct FailingCall {
  const char* name;
  const char* injection;
  const char* message;
  const char* hint;
  bool created = false;   ///< the segment is there already, and whoever comes next takes it over
  const char* path = "";  ///< only calls with this path fail
};

void PrintTo(const FailingCall& call, std::ostream* out) { *out << call.injection; }

class Failing : public CopiesTest, public testing::WithParamInterface<FailingCall> {
 protected:
  void SetUp() override {
    CopiesTest::SetUp();
    if (!has_strace()) GTEST_SKIP() << "needs strace";
    // A sanitizer starts a thread of its own, and probes memory by writing it into a pipe.
    const std::string_view injection = GetParam().injection;
    if (thread_sanitized && injection.starts_with("clone")) GTEST_SKIP() << "the sanitizer needs this call itself";
    if (sanitized && injection.starts_with("write")) GTEST_SKIP() << "the sanitizer needs this call itself";
  }
};

TEST_P(Failing, IsSaidAndLeavesNothingBehind) {
  Copy copy = start(Launch{.options = {"--for", "20"}, .through = strace(GetParam().injection, GetParam().path)});
  EXPECT_EQ(copy.exit_code(), 1);
  EXPECT_NE(copy.notes().find(std::string{"share_data: "} + GetParam().message), std::string::npos) << copy.notes();
  EXPECT_NE(copy.notes().find(GetParam().hint), std::string::npos) << copy.notes();
  if (GetParam().created) {
    Copy next = start();
    EXPECT_TRUE(all_show({&next}, 1));
    EXPECT_EQ(next.stop(), 0);
  }
  EXPECT_TRUE(nothing_is_left());
}

TEST_P(Failing, DoesNotDisturbTheOthers) {
  Copy other = start();
  ASSERT_TRUE(all_show({&other}, 1));
  Copy copy = start(Launch{.options = {"--for", "20"}, .through = strace(GetParam().injection, GetParam().path)});
  EXPECT_EQ(copy.exit_code(), 1);
  EXPECT_TRUE(all_show({&other}, 1));
  EXPECT_EQ(other.stop(), 0);
  EXPECT_TRUE(nothing_is_left());
}

constexpr const char* no_hint = "";

INSTANTIATE_TEST_SUITE_P(
    Call, Failing,
    testing::Values(
        FailingCall{"shmget_EACCES", "shmget:error=EACCES", "shmget 0x", "--key"},
        FailingCall{"shmget_EINVAL", "shmget:error=EINVAL", "shmget 0x", "--key"},
        FailingCall{"shmget_ENOSPC", "shmget:error=ENOSPC", "shmget 0x", "kernel.shmmni"},
        FailingCall{"shmget_ENOMEM", "shmget:error=ENOMEM", "shmget 0x", "no memory left"},
        FailingCall{"shmget_ENOSYS", "shmget:error=ENOSYS", "shmget 0x", "has no System V shared memory"},
        FailingCall{"shmget_EPERM", "shmget:error=EPERM", "shmget 0x", "does not allow System V shared memory"},
        FailingCall{"shmat_EACCES", "shmat:error=EACCES", "shmat", "permissions", true},
        FailingCall{"shmat_EINVAL", "shmat:error=EINVAL", "shmat", "keeps removing it", true},
        FailingCall{"shmat_ENOMEM", "shmat:error=ENOMEM", "shmat", "memory", true},
        FailingCall{"shmctl_EPERM", "shmctl:error=EPERM", "shmctl IPC_STAT", no_hint, true},
        FailingCall{"shmctl_EPERM_later", "shmctl:error=EPERM:when=2", "shmctl IPC_STAT", no_hint, true},
        FailingCall{"signalfd_EMFILE", "signalfd4:error=EMFILE", "signalfd: Too many open files", no_hint},
        FailingCall{"epoll_create_EMFILE", "epoll_create1:error=EMFILE", "epoll: Too many open files", "ulimit -n"},
        FailingCall{"epoll_ctl_ENOSPC", "epoll_ctl:error=ENOSPC", "epoll: No space left", "max_user_watches"},
        FailingCall{"eventfd_ENFILE", "eventfd2:error=ENFILE", "epoll: Too many open files", "ulimit -n"},
        FailingCall{"clone_EAGAIN", "clone3,clone:error=EAGAIN", "pthread_create", "ulimit -u"},
        FailingCall{"proc_ENOENT", "openat:error=ENOENT", "open /proc/self/stat", "mount /proc", false,
                    "/proc/self/stat"},
        FailingCall{"write_ENOSPC", "write:error=ENOSPC:when=2", "standard output: No space left", no_hint}),
    [](const auto& test) { return std::string{test.param.name}; });

class Unwatchable : public CopiesTest {
 protected:
  /// All copies start through the same command, and one of them is killed.
  void expect_deaths_are_seen(const Launch& launch, const std::string& reason) {
    Copies copies;
    for (int i = 0; i < 3; ++i) copies.push_back(start(launch));
    ASSERT_TRUE(all_show(copies, 3));
    // The line may come before the first look at the others, and that look would find the dead by itself.
    const std::string note = "cannot watch other processes (pidfd_open: " + reason;
    for (Copy& copy : copies) {
      ASSERT_TRUE(eventually([&] { return copy.notes().find(note) != std::string::npos; })) << copy.notes();
    }
    copies[1].destroy();
    copies.erase(copies.begin() + 1);
    EXPECT_TRUE(all_show(copies, 2));
    copies[0].destroy();
    copies.erase(copies.begin());
    EXPECT_TRUE(all_show(copies, 1));
    const std::string& notes = copies.front().notes();
    EXPECT_EQ(notes.find("cannot watch", notes.find("cannot watch") + 1), std::string::npos) << "once is enough:\n"
                                                                                             << notes;
    EXPECT_EQ(copies.front().stop(), 0);
    EXPECT_TRUE(nothing_is_left());
  }
};

TEST_F(Unwatchable, DeathsAreSeenOnAKernelWithoutPidfds) {
  if (!has_strace()) GTEST_SKIP() << "needs strace";
  expect_deaths_are_seen({.through = strace("pidfd_open:error=ENOSYS")}, "Function not implemented");
}

TEST_F(Unwatchable, DeathsAreSeenInASandboxThatForbidsPidfds) {
  if (!has_strace()) GTEST_SKIP() << "needs strace";
  expect_deaths_are_seen({.through = strace("pidfd_open:error=EPERM")}, "Operation not permitted");
}

TEST_F(Unwatchable, DeathsAreSeenWithoutDescriptorsToWatchWith) {
  if (sanitized) GTEST_SKIP() << "the sanitizer needs descriptors itself";
  Copies others = start_many(10);
  ASSERT_TRUE(all_show(others, 10));
  Copy copy = start(Launch{.before_exec = [] {
    const rlimit few{.rlim_cur = 10, .rlim_max = 10};
    setrlimit(RLIMIT_NOFILE, &few);
  }});
  ASSERT_TRUE(all_show({&copy}, 11));
  for (const Copy& other : others) other.signal(SIGKILL);
  EXPECT_TRUE(all_show({&copy}, 1)) << copy.notes();
}

}  // namespace
}  // namespace share_data::test
