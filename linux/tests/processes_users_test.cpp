// Other users and other namespaces: counted apart, or refused with the reason.
#include <grp.h>
#include <pwd.h>
#include <sys/shm.h>
#include <unistd.h>

#include <cstdlib>

#include <fmt/format.h>

#include "copies_test.h"

namespace share_data::test {
namespace {

constexpr uid_t nobody = 65534;

class Users : public CopiesTest {
 protected:
  void SetUp() override {
    CopiesTest::SetUp();
    if (geteuid() != 0) GTEST_SKIP() << "needs root, to be other users";
  }

  /// Starts the program as another user.
  static Launch as(uid_t uid) {
    return {.before_exec = [uid] {
      if (setgroups(0, nullptr) != 0 || setresgid(uid, uid, uid) != 0 || setresuid(uid, uid, uid) != 0) _exit(126);
    }};
  }

  static bool can_be_started_by_others() {
    Launch version = as(nobody);
    version.options = {"--version"};
    return Copy{0, version}.exit_code() == 0;
  }
};

TEST_F(Users, EachHasACountOfTheirOwn) {
  if (!can_be_started_by_others()) GTEST_SKIP() << "the build folder is not open to other users";
  const uid_t uid = 1'000'000 + static_cast<uid_t>(getpid());  // nobody's, and no other test's
  const auto their_key = static_cast<key_t>(0x5d00'0000U | (uid & 0xff'ffffU));
  Copy ours = start();
  Copy first{0, as(uid)};
  Copy second{0, as(uid)};
  EXPECT_TRUE(eventually([&] { return first.shown() == 2 && second.shown() == 2; })) << first.notes();
  EXPECT_EQ(attached_to(their_key), 2U);
  EXPECT_TRUE(all_show({&ours}, 1));
  EXPECT_EQ(first.stop(), 0);
  EXPECT_EQ(second.stop(), 0);
  EXPECT_FALSE(segment_of(their_key));
}

TEST_F(Users, TheSegmentOfAnotherOneIsRefusedAndItsOwnerNamed) {
  if (!can_be_started_by_others()) GTEST_SKIP() << "the build folder is not open to other users";
  Copy ours = start();
  ASSERT_TRUE(all_show({&ours}, 1));
  for (const char* const option : {"--json", "--status"}) {
    Launch launch = as(nobody);
    launch.options = {option};
    Copy refused = start(launch);
    EXPECT_EQ(refused.exit_code(), 1);
    EXPECT_EQ(refused.output(), "");
    EXPECT_NE(refused.notes().find("Permission denied"), std::string::npos) << refused.notes();
    EXPECT_NE(refused.notes().find("belongs to root"), std::string::npos) << refused.notes();
    EXPECT_NE(refused.notes().find("--key"), std::string::npos) << refused.notes();
  }
  EXPECT_TRUE(all_show({&ours}, 1));
}

class Namespaces : public CopiesTest {
 protected:
  /// Starts the program through unshare(1).
  Copy start_unshared(const std::vector<std::string>& options) const {
    std::vector<std::string> through{"unshare", "--fork", "--kill-child"};
    through.insert(through.end(), options.begin(), options.end());
    return start(Launch{.options = {"--for", "20"}, .through = through});
  }

  static bool can_unshare(const char* option) {
    const std::string command = fmt::format("unshare --fork {} true 2>/dev/null", option);
    return std::system(command.c_str()) == 0;  // NOLINT(cert-env33-c,concurrency-mt-unsafe): one thread
  }
};

TEST_F(Namespaces, ACopyInAnotherPidNamespaceIsRefused) {
  if (!can_unshare("--pid --mount-proc")) GTEST_SKIP() << "may not make a PID namespace";
  Copy ours = start();
  ASSERT_TRUE(all_show({&ours}, 1));
  Copy stranger = start_unshared({"--pid", "--mount-proc"});
  EXPECT_EQ(stranger.exit_code(), 1);
  EXPECT_EQ(stranger.output(), "");
  EXPECT_NE(stranger.notes().find("is used in another PID"), std::string::npos) << stranger.notes();
  EXPECT_TRUE(all_show({&ours}, 1));
  EXPECT_EQ(ours.lines().size(), 1U);
}

TEST_F(Namespaces, ACopyInAnotherTimeNamespaceIsRefused) {
  if (!can_unshare("--time")) GTEST_SKIP() << "may not make a time namespace";
  Copy ours = start();
  ASSERT_TRUE(all_show({&ours}, 1));
  Copy stranger = start_unshared({"--time"});
  EXPECT_EQ(stranger.exit_code(), 1);
  EXPECT_NE(stranger.notes().find("time namespace"), std::string::npos) << stranger.notes();
  EXPECT_TRUE(all_show({&ours}, 1));
}

TEST_F(Namespaces, ACopyWhoseProcIsOfAnotherPidNamespaceIsRefused) {
  if (!can_unshare("--pid")) GTEST_SKIP() << "may not make a PID namespace";
  Copy stranger = start_unshared({"--pid"});
  EXPECT_EQ(stranger.exit_code(), 1);
  EXPECT_NE(stranger.notes().find("/proc belongs to another PID namespace"), std::string::npos) << stranger.notes();
  EXPECT_TRUE(nothing_is_left());
}

}  // namespace
}  // namespace share_data::test
