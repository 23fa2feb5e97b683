// System calls that are refused, by a sandbox, by an old kernel or for want of something. Either the copy counts as
// ever, or it says what failed and what to do, which must be true, and leaves nothing behind.
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "copies.h"
#include "faults.h"

namespace share_data::test {
namespace {

struct RefusedCall {
  const char* name;
  long call;
  const char* message = nullptr;  ///< what the copy ends with; null if it counts as ever
  std::optional<int> extra = {};  ///< an error besides those that are tried with every call
  unsigned argument = 0;          ///< the number of the argument that has to have this value:
  std::optional<std::uint32_t> value = {};
};

const std::vector<RefusedCall> refused_calls{
    {"shmget", SYS_shmget, "shmget 0x"},
    {"shmat", SYS_shmat, "shmat "},
    {"shmctl", SYS_shmctl, "shmctl IPC_"},
    {"shmctl_IPC_STAT", SYS_shmctl, "shmctl IPC_STAT ", {}, 1, IPC_STAT},
    {"shmctl_SHM_INFO", SYS_shmctl, nullptr, {}, 1, SHM_INFO},
    {"shmctl_SHM_STAT", SYS_shmctl, nullptr, {}, 1, SHM_STAT},
    {"timer_create", SYS_timer_create, "timer_create: ", EAGAIN},
    {"timer_settime", SYS_timer_settime, "timer_settime: "},
    {"mmap", SYS_mmap, "mmap: ", {}, 3, MAP_SHARED | MAP_ANONYMOUS},  // the libraries want private memory
    {"set_robust_list", SYS_set_robust_list, "set_robust_list", 0},   // it says 0, and does nothing
    {"futex", SYS_futex, "futex: ", {}, 1, FUTEX_WAKE},
    {"futex_waitv", 449, "futex_waitv: "},
    {"write", SYS_write, "standard output: ", EIO, 0, STDOUT_FILENO},
    {"madvise", SYS_madvise, nullptr, {}, 2, MADV_DONTDUMP},
    {"get_robust_list", SYS_get_robust_list},
    {"mlock", SYS_mlock},
    {"mlock2", SYS_mlock2},
    {"shmdt", SYS_shmdt},
    {"ppoll", SYS_ppoll},
    // The libraries of a sanitizer need the rest.
    {"rt_sigaction", SYS_rt_sigaction, "sigaction: "},
    {"rt_sigprocmask", SYS_rt_sigprocmask, "sigprocmask: "},
#ifdef SYS_poll  // elsewhere it is ppoll
    {"poll", SYS_poll},
#endif
    {"fcntl", SYS_fcntl},
    {"newfstatat", SYS_newfstatat},
    {"fstat", SYS_fstat},
    {"ioctl", SYS_ioctl},
    {"openat", SYS_openat},
    {"read", SYS_read},
    {"lseek", SYS_lseek},
    {"close", SYS_close},
    {"kill", SYS_kill}};

/// What the program says after the message.
std::string hint_of(const std::string& call, int error) {
  if (call == "set_robust_list") return "this kernel or sandbox has no robust futexes";
  if (call == "write") return "";
  if (call == "timer_create" && error == EAGAIN) return "no timer left for this user; see `ulimit -i`";
  if (call == "shmget" && error == ENOSPC) return "kernel.shmmni";
  if (call == "shmat" && error == EACCES) return "another user's segment has this key";
  if (call == "shmget" && error == ENOMEM) return "no memory left for 52 KiB";
  if (error == ENOMEM) return "no memory left";
  const bool forbidden = error == EPERM || error == EACCES || error == ENOSYS || error == EOPNOTSUPP;
  return forbidden ? "a sandbox or a security policy forbids the call, or this kernel lacks it" : "";
}

class Refused : public CopiesTest, public testing::WithParamInterface<RefusedCall> {
 protected:
  [[nodiscard]] Copy start_refused(int error) const {
    const RefusedCall& refused = GetParam();
    return start(
        {.options = {"--for", "20"}, .before_exec = refuse(refused.call, error, refused.argument, refused.value)});
  }

  /// The message, and after it one line with the hint, if there is one.
  void expect_failed(int error) const {
    Copy answer = start_refused(error);
    const std::string what = fmt::format("share_data: {}", GetParam().message);
    const std::string hint = hint_of(GetParam().name, error);
    EXPECT_TRUE(fails(answer, 1, what));
    EXPECT_TRUE(
        contains(answer.notes(), fmt::format(": {}\n", error == 0 ? "Function not implemented" : strerror(error))));
    const std::string rest = answer.notes().substr(answer.notes().find('\n', answer.notes().find(what)) + 1);
    EXPECT_EQ(rest.empty(), hint.empty()) << answer.notes();
    EXPECT_TRUE(contains(rest, hint));
  }

  void expect_that_it_counts(int error) const {
    Copy other = start_alone();
    Copy copy = start_refused(error);
    EXPECT_TRUE(all_show({&other, &copy}, 2)) << copy.notes();
    let_it_try();  // the line may come before the first wait, and the look after it would find the dead anyway
    other.destroy();
    EXPECT_TRUE(all_show({&copy}, 1)) << copy.notes();
    expect_clean_end({&copy});
  }
};

TEST_P(Refused, IsSaidAndLeavesNothingBehindOrDoesNotMatter) {
  std::vector<int> errors{EPERM, EACCES, ENOSYS, EINVAL, EOPNOTSUPP, ENOMEM, ENOSPC};
  if (GetParam().extra) errors.push_back(*GetParam().extra);
  for (const int error : errors) {
    SCOPED_TRACE(strerror(error));
    const bool has_fallback = GetParam().call == 449 && error != ENOMEM;
    if (GetParam().message == nullptr || has_fallback) {
      expect_that_it_counts(error);
      continue;
    }
    expect_failed(error);
    EXPECT_TRUE(nothing_is_left());
    Copy other = start_alone();
    expect_failed(error);
    EXPECT_TRUE(all_show({&other}, 1));
    expect_clean_end({&other});
  }
}

INSTANTIATE_TEST_SUITE_P(Call, Refused,
                         testing::ValuesIn(refused_calls.begin(),
                                           sanitized ? refused_calls.begin() + 19 : refused_calls.end()),
                         by_name);

using Forbidden = CopiesTest;

TEST_F(Forbidden, ToRemoveTheSegmentIsSaidByTheLastOneOut) {
  const auto forbid = refuse(SYS_shmctl, EPERM, 1, IPC_RMID);
  Copy answer = start({.options = {"--for", "0.1"}, .before_exec = forbid});
  EXPECT_TRUE(fails(answer, 1, "share_data: shmctl IPC_RMID "));
  EXPECT_TRUE(contains(answer.notes(), "the segment stays behind"));
  Copy next = start_alone();
  expect_clean_end({&next});
}

TEST_F(Forbidden, ToWaitForManyWordsIsSaidOnce) {
  // On terminals: who reads a pipe wakes the copy that wrote into it.
  const std::vector<std::string> options{"--color", "never"};
  Copies copies = start_together(3, {.options = options, .before_exec = refuse(449, ENOSYS), .on_terminal = true});
  const std::string note = "share_data: futex_waitv: Function not implemented (before Linux 5.16, or in a sandbox)";
  for (Copy& copy : copies) ASSERT_TRUE(eventually([&] { return contains(copy.notes(), note); })) << copy.notes();
  const auto sleeps = [](const Copy& copy) { return call_of(copy.pid()) == SYS_futex; };
  for (const std::size_t victim : {2U, 1U}) {
    EXPECT_TRUE(eventually([&] { return std::ranges::all_of(copies, sleeps); }));
    take(copies, victim).destroy();
    EXPECT_TRUE(all_show(copies));
  }
  const std::string& notes = copies.front().notes();
  EXPECT_EQ(notes.find("futex_waitv", notes.find(note) + note.size()), std::string::npos) << notes;
  expect_clean_end(copies);
}

}  // namespace
}  // namespace share_data::test
