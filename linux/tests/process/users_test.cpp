// A segment under our key that is not ours is refused, and left as it was, to the byte. Other users count apart, other
// namespaces count together.
#include <grp.h>

#include <algorithm>
#include <cstdlib>

#include "copies.h"
#include "faults.h"

namespace share_data::test {
namespace {

using Users = CopiesTest;

TEST(DefaultKey, BelongsToTheUser) { EXPECT_EQ(default_key(), static_cast<key_t>(0x5d00'0000U | geteuid())); }

TEST_F(Users, TheSegmentOfAnotherOneIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to be other users";
  const auto start_as_nobody = [&](const std::string& option) {
    return start({.options = {option}, .before_exec = [] {
                    constexpr uid_t nobody = 65534;
                    if (setgroups(0, nullptr) != 0 || setresuid(nobody, nobody, nobody) != 0) _exit(126);
                  }});
  };
  if (start_as_nobody("--version").exit_code() != 0) GTEST_SKIP() << "the build folder is not open to them";
  Copy ours = start_alone();
  for (const char* const option : {"--json", "--status"}) {
    Copy answer = start_as_nobody(option);
    EXPECT_TRUE(fails(answer, 1, "Permission denied"));
    EXPECT_EQ(answer.output(), "");
    EXPECT_TRUE(contains(answer.notes(), "another user's segment has this key"));
    EXPECT_TRUE(contains(answer.notes(), "--key"));
  }
  EXPECT_TRUE(all_show({&ours}, 1));
}

/// Each copy has a PID namespace of its own, where a shell has the PID 1.
class Namespaces : public CopiesTest, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    CopiesTest::SetUp();
    Copy trial = start_apart({"--version"});
    if (trial.exit_code() != 0) GTEST_SKIP() << "may not make such a namespace: " << trial.notes();
  }

  /// All get the same TID, which nobody has outside. The leak checker of a sanitizer needs the /proc of its own
  /// namespace.
  [[nodiscard]] Copy start_apart(const std::vector<std::string>& options = {}) const {
    int tid = 20000;
    while (kill(tid, 0) == 0) ++tid;
    const std::string script = fmt::format(
        R"(export ASAN_OPTIONS=detect_leaks=0; echo {} > /proc/sys/kernel/ns_last_pid; "$0" "$@"; exit $?)", tid - 1);
    static const bool is_busybox = std::system("unshare --kill-child true 2>&-") != 0;  // NOLINT
    const char* const kill_child = is_busybox ? "--fork" : "--kill-child";
    return start(
        {.options = options, .through = {"unshare", "--fork", kill_child, "--pid", GetParam(), "sh", "-c", script}});
  }

  /// Its PID in its own namespace.
  static pid_t own_pid(Copy& copy) {
    const std::string& line = copy.lines().at(0);
    return std::stoi(line.substr(line.find('[') + 1));
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
};

TEST_P(Namespaces, CopiesInDifferentOnesCountTogether) {
  Copy ours = start();
  Copy first = start_apart();
  Copy second = start_apart();
  ASSERT_TRUE(all_show({&ours, &first, &second}, 3));
  Copy outside = start();
  ASSERT_TRUE(all_show({&ours, &outside, &first, &second}, 4));
  const auto tid = own_pid(first);
  ASSERT_EQ(own_pid(second), tid) << "the test is about the same TID more than once";
  EXPECT_EQ(ask_here({"--status"}).output().find("4 live\n"), 0U);
  outside.destroy();
  EXPECT_TRUE(all_show({&ours, &first, &second}, 3));
  EXPECT_TRUE(first.prints(fmt::format("3 live  x {} was killed", outside.pid())));

  // The next one has its TID, too, and takes its slot while another copy pauses.
  suspend({&ours});
  kill(program_of(second), SIGKILL);
  second.exit_code();
  ASSERT_TRUE(each_shows({&first}, 2)) << "then the slot is free";
  Copy third = start_apart();
  ASSERT_TRUE(all_show({&first, &third}, 3));
  ASSERT_EQ(own_pid(third), tid);
  ours.signal(SIGCONT);
  EXPECT_TRUE(ours.prints(fmt::format("3 live  + {0}  x {0} was killed", tid))) << ours.output();

  EXPECT_EQ(ours.stop(), 0);
  EXPECT_TRUE(first.prints(fmt::format("- {}", ours.pid()))) << first.output();
  for (Copy* const copy : {&first, &third}) {
    kill(program_of(*copy), SIGTERM);
    EXPECT_EQ(copy->exit_code(), 0) << copy->notes();
  }
  EXPECT_TRUE(nothing_is_left());
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
  EXPECT_EQ(ours.output().find(fmt::format("x {}", own_pid(inside))), std::string::npos) << ours.output();
}

// It is in no slot of a copy, so each copy looks for one that is missing; and those elsewhere seem to be.
TEST_P(Namespaces, GarbageThatNamesALiveProcessKeepsNobodyBusy) {
  Copy ours = start();
  Copy inside = start_apart();
  ASSERT_TRUE(all_show({&ours, &inside}, 2));
  const RawSegment segment{key()};  // which counts as a process that is attached
  for (const std::size_t slot : {900U, 901U}) segment.table().slots[slot].owner = running_word(1);
  Copy next = start();
  EXPECT_TRUE(next.prints("joined"));
  EXPECT_TRUE(eventually([&] {
    const std::uint32_t before = segment.table().changes;
    let_it_try();
    return segment.table().changes == before;
  }));
  EXPECT_LT(segment.table().changes, 500U);
}

INSTANTIATE_TEST_SUITE_P(Of, Namespaces, testing::Values("--pid", "--time", "--map-root-user"),
                         [](const auto& test) { return std::string{test.param}.substr(2, 3); });

class Foreign : public CopiesTest {
 protected:
  /// Whether the program refuses the segment and leaves everything of it as it was. Then it is removed.
  void expect_refused_unchanged(const RawSegment& segment, const std::string& why) const {
    const std::vector<std::byte> content{segment.bytes().begin(), segment.bytes().end()};
    const shmid_ds before = segment_of(key()).value();
    for (const std::vector<std::string>& options :
         {std::vector<std::string>{}, {"--for", "0.01"}, {"--max", "5"}, {"--json"}, {"--status"}}) {
      Copy answer = ask_here(options);
      SCOPED_TRACE(testing::PrintToString(options));
      EXPECT_TRUE(fails(answer, 1, why));
      EXPECT_EQ(answer.output(), "");
      EXPECT_TRUE(contains(answer.notes(), "--key")) << "the way out";
    }
    EXPECT_TRUE(std::ranges::equal(segment.bytes(), content));
    const shmid_ds after = segment_of(key()).value();
    EXPECT_EQ(after.shm_nattch, before.shm_nattch);
    EXPECT_EQ(after.shm_ctime, before.shm_ctime) << "neither its owner nor its mode was changed";
    EXPECT_TRUE(remove_segment(key()));
  }
};

TEST_F(Foreign, OfAnySizeIsLeftAsItIs) {
  std::mt19937 random{seed()};
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{4096}, sizeof(Table) - 1, sizeof(Table), sizeof(Table) + 1, 2 * sizeof(Table)}) {
    const std::string why = fmt::format("has {} bytes of another program or version", size);
    for (const bool of_zeros : {true, false}) {
      const RawSegment segment{key(), size, 0644};
      const RawSegment another_user_of_it{key()};
      if (!of_zeros) std::ranges::generate(segment.bytes(), [&] { return static_cast<std::byte>(random()); });
      segment.bytes().back() = std::byte{1};
      expect_refused_unchanged(segment, why);
    }
  }
}

TEST_F(Foreign, OfAnotherVersionIsLeftAsItIs) {
  for (const auto& [kib, magic] : {std::pair{164U, 0x3254'4144'5248'5302}, {52U, 0x3454'4144'5248'5304}}) {
    const RawSegment segment{key(), std::size_t{kib} * 1024};
    segment.table().magic = static_cast<std::uint64_t>(magic);
    expect_refused_unchanged(segment, "of another program or version");
  }
}

TEST_F(Foreign, IsNoneWhoseCreatorWasKilledBeforeItWroteTheMagicOrTheKey) {
  const RawSegment segment{key(), sizeof(Table)};
  const Copy copy = std::move(start_in_order(1).front());
  EXPECT_NE(segment.table().magic, 0U);
  segment.table().key = 0;
  EXPECT_EQ(ask_here({"--for", "0.01"}).exit_code(), 0);
  EXPECT_EQ(segment.table().key, static_cast<std::uint32_t>(key()));
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
