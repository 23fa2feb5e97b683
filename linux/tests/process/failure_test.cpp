// System calls that fail: each says what failed and what to do, and no copy hangs or stays half in.
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "copies.h"
#include "faults.h"

namespace share_data::test {
namespace {

struct FailingCall {
  const char* name;
  Refusal refusal;
  const char* message;
  const char* hint;
  bool created = false;  ///< the segment is there already, and the next copy takes it over
};

class Failing : public CopiesTest, public testing::WithParamInterface<FailingCall> {
 protected:
  /// Starts a copy that fails, and says why.
  void fail() const {
    const Answer answer = start({.options = {"--for", "20"}, .before_exec = refuse({GetParam().refusal})}).answer();
    EXPECT_TRUE(failed(answer, 1, fmt::format("share_data: {}", GetParam().message)));
    EXPECT_TRUE(contains(answer.notes, GetParam().hint));
  }
};

TEST_P(Failing, IsSaidAndLeavesNothingBehind) {
  fail();
  if (GetParam().created) {
    Copy next = start_alone();
    EXPECT_EQ(next.stop(), 0);
  }
  EXPECT_TRUE(nothing_is_left());
}

TEST_P(Failing, DoesNotDisturbTheOthers) {
  Copy other = start_alone();
  fail();
  EXPECT_TRUE(all_show({&other}, 1));
  expect_clean_end({&other});
}

constexpr const char* no_hint = "";
constexpr Refusal no_page{SYS_mmap, ENOMEM, 3, MAP_SHARED | MAP_ANONYMOUS};  // the libraries want private ones

const FailingCall failing_calls[]{
    {"shmget_EACCES", {SYS_shmget, EACCES}, "shmget 0x", "--key"},
    {"shmget_EINVAL", {SYS_shmget, EINVAL}, "shmget 0x", "--key"},
    {"shmget_ENOSPC", {SYS_shmget, ENOSPC}, "shmget 0x", "kernel.shmmni"},
    {"shmget_ENOMEM", {SYS_shmget, ENOMEM}, "shmget 0x", "no memory left"},
    {"shmget_ENOSYS", {SYS_shmget, ENOSYS}, "shmget 0x", "has no System V shared memory"},
    {"shmget_EPERM", {SYS_shmget, EPERM}, "shmget 0x", "does not allow System V shared memory"},
    {"shmat_EACCES", {SYS_shmat, EACCES}, "shmat", "permissions", true},
    {"shmat_EINVAL", {SYS_shmat, EINVAL}, "shmat", "keeps removing it", true},
    {"shmat_ENOMEM", {SYS_shmat, ENOMEM}, "shmat", "memory", true},
    {"shmctl_ENOSYS", {SYS_shmctl, ENOSYS}, "shmctl IPC_STAT", "has no System V", true},
    {"shmctl_EPERM", {SYS_shmctl, EPERM, 1, IPC_STAT}, "shmctl IPC_STAT", "does not allow", true},
    {"timer_create_EAGAIN", {SYS_timer_create, EAGAIN}, "timer_create: Resource temp", no_hint},
    {"mmap_ENOMEM", no_page, "mmap: Cannot allocate memory", "no memory left for one page"},
    {"set_robust_list_ENOSYS", {SYS_set_robust_list, ENOSYS}, "set_robust_list: Function not", "no robust futexes"},
    {"set_robust_list_EPERM", {SYS_set_robust_list, EPERM}, "set_robust_list: Operation not", "no robust futexes"},
    {"futex_waitv_ENOMEM", {SYS_futex_waitv, ENOMEM}, "futex_waitv: Cannot allocate", "no memory left to wait"},
    {"write_ENOSPC", {SYS_write, ENOSPC, 0, STDOUT_FILENO}, "standard output: No space left", no_hint}};

INSTANTIATE_TEST_SUITE_P(Call, Failing, testing::ValuesIn(failing_calls), by_name);

using Forbidden = CopiesTest;

TEST_F(Forbidden, ToRemoveTheSegmentIsSaidByTheLastOneOut) {
  const auto forbid = refuse({{SYS_shmctl, EPERM, 1, IPC_RMID}});
  const Answer answer = start({.options = {"--for", "0.1"}, .before_exec = forbid}).answer();
  EXPECT_TRUE(failed(answer, 1, "share_data: shmctl IPC_RMID "));
  EXPECT_TRUE(contains(answer.notes, "the segment stays behind"));
  Copy next = start_alone();
  expect_clean_end({&next});
}

TEST_F(Forbidden, ToLockMemoryDoesNotMatter) {
  Copies copies = start_together(
      2, {.before_exec = refuse({{SYS_mlock, EPERM}, {SYS_mlock2, ENOMEM}, {SYS_madvise, EINVAL, 2, MADV_DONTDUMP}})});
  take(copies, 1).destroy();
  EXPECT_TRUE(all_show(copies));
  EXPECT_EQ(copies[0].stop(), 0);
  EXPECT_FALSE(contains(copies[0].notes(), "lock"));
}

using Unwatchable = CopiesTest;

TEST_F(Unwatchable, DeathsAreSeenAllTheSame) {
  for (const auto& [error, reason] :
       {std::pair{ENOSYS, "Function not implemented"}, std::pair{EPERM, "Operation not permitted"}}) {
    const std::string note = fmt::format("share_data: futex_waitv: {}: this kernel is older than 5.16", reason);
    Copies copies = start_together(3, {.before_exec = refuse({{SYS_futex_waitv, error}})});
    // The line may come before the first wait, and the look after that would find the dead anyway.
    for (Copy& copy : copies) ASSERT_TRUE(eventually([&] { return contains(copy.notes(), note); })) << copy.notes();
    for (const std::size_t victim : {2U, 1U}) {
      take(copies, victim).destroy();
      EXPECT_TRUE(all_show(copies));
    }
    const std::string& notes = copies.front().notes();
    EXPECT_FALSE(contains(notes.substr(notes.find(note) + note.size()), "futex_waitv")) << "said once";
    expect_clean_end(copies);
  }
}

}  // namespace
}  // namespace share_data::test
