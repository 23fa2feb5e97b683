// A segment under our key that is not ours is refused, and left as it was, to the byte. Other users count apart, other
// namespaces count together.
#include <grp.h>
#include <pwd.h>
#include <sys/shm.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <random>
#include <utility>

#include "copies.h"
#include "faults.h"
#include "table.h"

namespace share_data::test {
namespace {

constexpr uid_t nobody = 65534;

class Users : public CopiesTest {
 protected:
  void SetUp() override {
    CopiesTest::SetUp();
    if (geteuid() != 0) GTEST_SKIP() << "needs root, to be other users";
    if (Copy{0, as(nobody, {"--version"})}.exit_code() != 0) GTEST_SKIP() << "the build folder is not open to them";
  }

  /// Starts the program as another user.
  static Launch as(uid_t uid, const std::vector<std::string>& options = {}) {
    const auto become = [uid] {
      if (setgroups(0, nullptr) != 0 || setresgid(uid, uid, uid) != 0 || setresuid(uid, uid, uid) != 0) _exit(126);
    };
    return {.options = options, .before_exec = become};
  }
};

TEST_F(Users, EachHasACountOfTheirOwn) {
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

TEST_F(Users, TheSegmentOfAnotherOneIsRefused) {
  Copy ours = start_alone();
  for (const char* const option : {"--json", "--status"}) {
    const Answer answer = start(as(nobody, {option})).answer();
    EXPECT_TRUE(failed(answer, 1, "Permission denied"));
    EXPECT_EQ(answer.output, "");
    EXPECT_TRUE(contains(answer.notes, "another user's segment has this key"));
    EXPECT_TRUE(contains(answer.notes, "--key"));
  }
  EXPECT_TRUE(all_show({&ours}, 1));
}

struct Way {
  const char* name;
  std::vector<std::string> unshare;
  std::string setup = "true";  ///< what a shell does there before it starts the program
};

/// Each copy has a PID namespace of its own, where a shell has the PID 1.
class Namespaces : public CopiesTest, public testing::WithParamInterface<Way> {
 protected:
  void SetUp() override {
    CopiesTest::SetUp();
    const bool has_proc = std::string_view{GetParam().setup}.find("umount") == std::string_view::npos;
    if (sanitized && !has_proc) GTEST_SKIP() << "a sanitizer needs /proc";
    Copy trial = start_apart({"--version"});
    if (trial.exit_code() != 0) GTEST_SKIP() << "may not make such a namespace: " << trial.notes();
  }

  [[nodiscard]] Copy start_apart(const std::vector<std::string>& options = {}) const {
    std::vector<std::string> through{"unshare", "--fork", "--kill-child", "--pid"};
    through.insert(through.end(), GetParam().unshare.begin(), GetParam().unshare.end());
    // The leak checker of a sanitizer needs the /proc of its own namespace.
    const std::string setup = "export ASAN_OPTIONS=detect_leaks=0; " + choose_tid() + GetParam().setup;
    through.insert(through.end(), {"sh", "-c", setup + R"( && "$0" "$@"; exit $?)"});
    return start({.options = options, .through = through});
  }

  /// The program itself, by its PID here.
  static pid_t program_of(const Copy& copy) {
    pid_t pid = copy.pid();
    for (pid_t child = pid; child != 0;) {
      pid = std::exchange(child, 0);
      std::ifstream{fmt::format("/proc/{0}/task/{0}/children", pid)} >> child;
    }
    return pid;
  }

  /// All get the same TID, which nobody has outside.
  static std::string choose_tid() {
    int tid = 20000;
    while (kill(tid, 0) == 0) ++tid;
    return fmt::format("echo {} > /proc/sys/kernel/ns_last_pid; ", tid - 1);
  }

  static void kill_from_inside(Copy& copy) {
    const std::string command =
        fmt::format("nsenter --pid --target {} kill -9 {} 2>&-", program_of(copy), own_pid(copy));
    // With the program its namespace ends, and may take the command along.
    (void)!std::system(command.c_str());  // NOLINT(cert-env33-c,concurrency-mt-unsafe): one thread
  }
};

TEST_P(Namespaces, CopiesInDifferentOnesCountTogether) {
  Copy ours = start();
  Copy outside = start();
  Copy first = start_apart();
  Copy second = start_apart();
  Copy third = start_apart();
  ASSERT_TRUE(all_show({&ours, &outside, &first, &second, &third}, 5));
  EXPECT_EQ(own_pid(first), own_pid(second)) << "the test is about the same TID more than once";
  EXPECT_EQ(ask_here({"--status"}).output.find("5 live\n"), 0U);

  outside.destroy();
  EXPECT_TRUE(all_show({&ours, &first, &second, &third}, 4));
  EXPECT_TRUE(first.prints(fmt::format("4 live  x {} was killed", outside.pid())));
  const std::string killed = fmt::format("x {} was killed", own_pid(second));
  kill(program_of(third), SIGKILL);
  EXPECT_TRUE(all_show({&ours, &first, &second}, 3));
  EXPECT_TRUE(ours.prints("3 live  " + killed));
  kill_from_inside(second);
  EXPECT_TRUE(all_show({&ours, &first}, 2));
  EXPECT_TRUE(first.prints("2 live  " + killed));

  EXPECT_EQ(ours.stop(), 0);
  EXPECT_TRUE(first.prints("1 live  - " + std::to_string(ours.pid())));
  kill(program_of(first), SIGTERM);
  EXPECT_EQ(first.exit_code(), 0) << first.notes();
  EXPECT_TRUE(nothing_is_left());
}

// The two have the same TID, and the second one takes the slot of the first one while a third copy pauses.
TEST_P(Namespaces, ACopyIsNotTakenForTheOneBeforeItThatHadItsTid) {
  Copy witness = start();
  Copy first = start_apart();
  ASSERT_TRUE(all_show({&witness, &first}, 2));
  const auto tid = own_pid(first);
  witness.signal(SIGSTOP);
  kill_from_inside(first);
  EXPECT_TRUE(eventually([&] { return first.ended(); }));
  Copy second = start_apart();
  ASSERT_TRUE(all_show({&second}, 2));
  ASSERT_EQ(own_pid(second), tid);
  witness.signal(SIGCONT);
  EXPECT_TRUE(witness.prints(fmt::format("2 live  + {0}  x {0} was killed", tid))) << witness.output();
}

// The kernel's number of attached processes is read after the table. In between, a copy is killed.
TEST_P(Namespaces, NobodyIsTakenForMissingWhileOthersAreKilled) {
  if (!has_strace()) GTEST_SKIP() << "needs strace";
  Copy ours = start({.through = strace("shmctl:delay_enter=10000")});
  Copy inside = start_apart();
  ASSERT_TRUE(all_show({&ours, &inside}, 2));
  for (int round = 0; round < 5; ++round) {
    let_it_try();
    start_in_order(1).front().destroy();
    ASSERT_TRUE(all_show({&ours, &inside}, 2));
  }
  EXPECT_FALSE(contains(ours.output(), fmt::format("x {}", own_pid(inside)))) << ours.output();
}

INSTANTIATE_TEST_SUITE_P(
    Own, Namespaces,
    testing::Values(Way{"PidAlone", {}}, Way{"PidWithItsProc", {"--mount-proc"}}, Way{"PidAndTime", {"--time"}},
                    Way{"PidAndUser", {"--user", "--map-root-user"}},
                    Way{"PidWithoutProc", {"--mount"}, "umount -l /proc"},
                    Way{"PidWithHiddenProc", {"--mount"}, "mount -t proc -o hidepid=2 proc /proc"}),
    by_name);

class Foreign : public CopiesTest {
 protected:
  /// Whether the program refuses the segment and leaves everything of it as it was.
  void expect_refused_unchanged(const RawSegment& segment, const std::string& why) const {
    const std::vector<std::byte> content{segment.bytes().begin(), segment.bytes().end()};
    const shmid_ds before = segment.state();
    for (const std::vector<std::string>& options :
         {std::vector<std::string>{}, {"--for", "0.01"}, {"--max", "5"}, {"--json"}, {"--status"}}) {
      const Answer answer = ask_here(options);
      SCOPED_TRACE(testing::PrintToString(options));
      EXPECT_TRUE(failed(answer, 1, why));
      EXPECT_EQ(answer.output, "");
      EXPECT_TRUE(contains(answer.notes, "--key")) << "the way out";
    }
    EXPECT_TRUE(std::ranges::equal(segment.bytes(), content));
    const shmid_ds after = segment.state();
    EXPECT_EQ(after.shm_perm.mode, before.shm_perm.mode);
    EXPECT_EQ(after.shm_perm.uid, before.shm_perm.uid);
    EXPECT_EQ(after.shm_segsz, before.shm_segsz);
    EXPECT_EQ(after.shm_nattch, before.shm_nattch);
    EXPECT_EQ(after.shm_ctime, before.shm_ctime);
    EXPECT_EQ(segment_of(key()).value_or(shmid_ds{}).shm_segsz, before.shm_segsz) << "still under its key";
  }
};

TEST_F(Foreign, OfAnySizeIsLeftAsItIs) {
  std::mt19937 random{7};
  for (const std::size_t size :
       {std::size_t{1}, sizeof(Table) - 1, sizeof(Table), sizeof(Table) + 1, std::size_t{1} << 20U}) {
    const RawSegment segment{key(), size, 0644};
    std::ranges::generate(segment.bytes(), [&] { return static_cast<std::byte>(random()); });
    expect_refused_unchanged(segment, size == sizeof(Table) ? "another program's data" : fmt::format("{} bytes", size));
    remove_segment(key());
  }
}

TEST_F(Foreign, OfZerosButNotOfOurSizeOrButForOneByteIsLeftAsItIs) {
  expect_refused_unchanged(RawSegment{key(), 2 * sizeof(Table)}, fmt::format("{} bytes", 2 * sizeof(Table)));
  remove_segment(key());
  const RawSegment segment{key(), sizeof(Table)};
  segment.bytes().back() = std::byte{1};
  expect_refused_unchanged(segment, "another program's data");
}

TEST_F(Foreign, OfAnotherVersionIsLeftAsItIs) {
  Copy copy = start_alone();
  const RawSegment segment{key()};
  copy.destroy();
  const std::uint64_t next = (std::uint64_t{1} << 56U) + 1;
  segment.table().magic += next;
  expect_refused_unchanged(segment, "is used by version 4 of share_data");
}

TEST_F(Foreign, OfAnEarlierVersionIsLeftAsItIs) {
  for (const auto& [version, kib, magic] :
       {std::tuple{1, 33U, 0x3154'4144'5248'5301}, {2, 164U, 0x3254'4144'5248'5302}}) {
    const RawSegment segment{key(), std::size_t{kib} * 1024};
    segment.table().magic = static_cast<std::uint64_t>(magic);
    expect_refused_unchanged(
        segment,
        fmt::format("is used by version {} of share_data, which cannot count together with this one", version));
    EXPECT_TRUE(contains(ask_here({}).notes, fmt::format("ipcrm -m {}", segment.id())));
    remove_segment(key());
  }
}

TEST_F(Foreign, WhoseUsersAreAttachedIsLeftAsItIs) {
  const RawSegment segment{key(), 4096};
  const RawSegment second{key()};
  const RawSegment third{key()};
  std::ranges::fill(segment.bytes(), std::byte{0x5a});
  expect_refused_unchanged(segment, "4096 bytes");
  EXPECT_EQ(attached_to(key()), 3U);
}

TEST_F(Foreign, MarkedForRemovalDoesNotMatter) {
  const RawSegment segment{key(), sizeof(Table)};
  std::ranges::fill(segment.bytes(), std::byte{0x5a});
  remove_segment(key());
  const Copy copy = start_alone();
  EXPECT_TRUE(std::ranges::all_of(segment.bytes(), [](std::byte byte) { return byte == std::byte{0x5a}; }));
}

}  // namespace
}  // namespace share_data::test
