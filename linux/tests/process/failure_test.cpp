// System calls that are refused, by a sandbox, by an old kernel or for want of something. Either the copy counts as
// ever, or it says what failed and what to do, which must be true, and leaves nothing behind.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <set>

#include "copies.h"
#include "faults.h"

namespace share_data::test {
namespace {

constexpr const char* no_hint = "";

struct RefusedCall {
  const char* name;
  long call;
  const char* message = nullptr;   ///< what the copy ends with; null if it counts as ever
  bool libraries_need_it = false;  ///< those of a sanitizer
  unsigned argument = 0;           ///< the number of the argument that has to have this value:
  std::optional<std::uint32_t> value = {};
  std::map<int, const char*> hints = {};         ///< where they are not the usual ones
  std::map<int, const char*> fatal_errors = {};  ///< with their hints, where the copy counts after all others
};

/// What the program says to an error that no call explains better.
std::string usual_hint(int error) {
  if (error == ENOMEM) return "no memory left";
  const bool forbidden = error == EPERM || error == EACCES || error == ENOSYS || error == EOPNOTSUPP;
  return forbidden ? "a sandbox or a security policy forbids the call, or this kernel lacks it" : no_hint;
}

class Refused : public CopiesTest, public testing::WithParamInterface<RefusedCall> {
 protected:
  [[nodiscard]] Copy start_refused(int error) const {
    const auto& [name, call, message, needed, argument, value, hints, fatal] = GetParam();
    return start({.options = {"--for", "20"}, .before_exec = refuse({{call, error, argument, value}})});
  }

  /// The message, and after it one line with the hint, if there is one.
  void expect_failed(int error, const std::string& message, const std::string& hint) const {
    const Answer answer = start_refused(error).answer();
    const std::string what = fmt::format("share_data: {}", message);
    EXPECT_TRUE(failed(answer, 1, what));
    EXPECT_TRUE(
        contains(answer.notes, fmt::format(": {}\n", error == 0 ? "Function not implemented" : strerror(error))));
    const std::string rest = answer.notes.substr(answer.notes.find('\n', answer.notes.find(what)) + 1);
    EXPECT_EQ(rest.empty(), hint.empty()) << answer.notes;
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
  if (sanitized && GetParam().libraries_need_it) GTEST_SKIP() << "a sanitizer needs the call itself";
  std::map<int, std::string> hints;
  for (const int error : {EPERM, EACCES, ENOSYS, EINVAL, EOPNOTSUPP, ENOMEM, ENOSPC}) hints[error] = usual_hint(error);
  for (const auto& [error, hint] : GetParam().hints) hints[error] = hint;
  for (const auto& [error, hint] : hints) {
    SCOPED_TRACE(strerror(error));
    const bool is_fatal = GetParam().fatal_errors.contains(error);
    if (GetParam().message == nullptr && !is_fatal) {
      expect_that_it_counts(error);
      continue;
    }
    const std::string message = is_fatal ? GetParam().name : GetParam().message;
    expect_failed(error, message, is_fatal ? GetParam().fatal_errors.at(error) : hint);
    EXPECT_TRUE(nothing_is_left());
    Copy other = start_alone();
    expect_failed(error, message, is_fatal ? GetParam().fatal_errors.at(error) : hint);
    EXPECT_TRUE(all_show({&other}, 1));
    expect_clean_end({&other});
  }
}

constexpr const char* robust = "this kernel or sandbox has no robust futexes";

const RefusedCall refused_calls[]{
    {.name = "shmget",
     .call = SYS_shmget,
     .message = "shmget 0x",
     .hints = {{ENOSPC, "kernel.shmmni"}, {EACCES, "segment"}, {ENOMEM, "no memory left for 172 KiB"}}},
    {.name = "shmat", .call = SYS_shmat, .message = "shmat "},
    {.name = "shmctl", .call = SYS_shmctl, .message = "shmctl IPC_"},
    {.name = "shmctl_IPC_STAT", .call = SYS_shmctl, .message = "shmctl IPC_STAT ", .argument = 1, .value = IPC_STAT},
    {.name = "shmctl_SHM_INFO", .call = SYS_shmctl, .argument = 1, .value = SHM_INFO},
    {.name = "shmctl_SHM_STAT", .call = SYS_shmctl, .argument = 1, .value = SHM_STAT},
    {.name = "timer_create",
     .call = SYS_timer_create,
     .message = "timer_create: ",
     .hints = {{EAGAIN, "no timer left for this user; see `ulimit -i`"}}},
    {.name = "timer_settime", .call = SYS_timer_settime, .message = "timer_settime: "},
    {.name = "rt_sigaction", .call = SYS_rt_sigaction, .message = "sigaction: ", .libraries_need_it = true},
    {.name = "rt_sigprocmask", .call = SYS_rt_sigprocmask, .message = "sigprocmask: ", .libraries_need_it = true},
    // The libraries want private memory.
    {.name = "mmap", .call = SYS_mmap, .message = "mmap: ", .argument = 3, .value = MAP_SHARED | MAP_ANONYMOUS},
    {.name = "set_robust_list",
     .call = SYS_set_robust_list,
     .message = "set_robust_list",
     .hints = {{EPERM, robust},
               {EACCES, robust},
               {ENOSYS, robust},
               {EINVAL, robust},
               {EOPNOTSUPP, robust},
               {ENOMEM, robust},
               {ENOSPC, robust},
               {0, robust}}},  // it says that it has succeeded, and does nothing
    {.name = "futex", .call = SYS_futex, .message = "futex: ", .argument = 1, .value = FUTEX_WAKE},
    {.name = "futex_waitv", .call = 449, .fatal_errors = {{ENOMEM, "no memory left"}}},
    {.name = "write",
     .call = SYS_write,
     .message = "standard output: ",
     .argument = 0,
     .value = STDOUT_FILENO,
     .hints = {{EPERM, no_hint},
               {EACCES, no_hint},
               {ENOSYS, no_hint},
               {EOPNOTSUPP, no_hint},
               {ENOMEM, no_hint},
               {EIO, no_hint}}},  // of a terminal it would be that somebody has closed it
    {.name = "get_robust_list", .call = SYS_get_robust_list},
    {.name = "mlock", .call = SYS_mlock},
    {.name = "mlock2", .call = SYS_mlock2},
    {.name = "madvise", .call = SYS_madvise, .argument = 2, .value = MADV_DONTDUMP},
    {.name = "ppoll", .call = SYS_ppoll},
    {.name = "fcntl", .call = SYS_fcntl, .libraries_need_it = true},
    {.name = "newfstatat", .call = SYS_newfstatat, .libraries_need_it = true},
    {.name = "fstat", .call = SYS_fstat, .libraries_need_it = true},
    {.name = "ioctl", .call = SYS_ioctl, .libraries_need_it = true},
    {.name = "openat", .call = SYS_openat, .libraries_need_it = true},
    {.name = "read", .call = SYS_read, .libraries_need_it = true},
    {.name = "lseek", .call = SYS_lseek, .libraries_need_it = true},
    {.name = "close", .call = SYS_close, .libraries_need_it = true},
    {.name = "kill", .call = SYS_kill, .libraries_need_it = true},
#ifdef SYS_poll  // elsewhere it is ppoll
    {.name = "poll", .call = SYS_poll, .libraries_need_it = true},
#endif
};

INSTANTIATE_TEST_SUITE_P(Call, Refused, testing::ValuesIn(refused_calls), by_name);

using Calls = CopiesTest;

TEST_F(Calls, AreAllInTheTableOfThoseThatAreRefused) {
  if (sanitized || !has_strace()) GTEST_SKIP() << "needs strace, and no sanitizer, which makes calls itself";
  // The C library's own, and those that never fail.
  std::set<std::string> known{
      "execve",   "brk",        "arch_prctl",   "set_tid_address", "rseq",           "prlimit64",
      "readlink", "readlinkat", "getrandom",    "mprotect",        "geteuid",        "getpid",
      "gettid",   "exit_group", "rt_sigreturn", "restart_syscall", "clock_nanosleep"};
  for (const RefusedCall& call : refused_calls) known.insert(call.name);
  Copy other = start_alone();
  Copy copy = start({.options = {"--for", "0.5", "--max", "5"}, .through = {"strace", "-f", "-qq", "-o", path()}});
  EXPECT_TRUE(all_show({&other, &copy}, 2));
  other.destroy();
  EXPECT_EQ(copy.exit_code(), 0);
  std::ifstream lines{path()};
  for (std::string line; std::getline(lines, line);) {
    const auto name = line.find_first_not_of("0123456789 ");
    const auto end = line.find('(', name);
    if (end == std::string::npos || line[name] == '-' || line[name] == '<' || line[name] == '+') continue;
    EXPECT_TRUE(known.contains(line.substr(name, end - name))) << line;
  }
}

using Forbidden = CopiesTest;

TEST_F(Forbidden, ToRemoveTheSegmentIsSaidByTheLastOneOut) {
  const auto forbid = refuse({{SYS_shmctl, EPERM, 1, IPC_RMID}});
  const Answer answer = start({.options = {"--for", "0.1"}, .before_exec = forbid}).answer();
  EXPECT_TRUE(failed(answer, 1, "share_data: shmctl IPC_RMID "));
  EXPECT_TRUE(contains(answer.notes, "the segment stays behind"));
  Copy next = start_alone();
  expect_clean_end({&next});
}

TEST_F(Forbidden, ToWaitForManyWordsIsSaidOnce) {
  Copies copies = start_together(3, {.before_exec = refuse({{449, ENOSYS}})});
  const std::string note = "share_data: futex_waitv: Function not implemented: this kernel is older than 5.16";
  for (Copy& copy : copies) ASSERT_TRUE(eventually([&] { return contains(copy.notes(), note); })) << copy.notes();
  for (const std::size_t victim : {2U, 1U}) {
    take(copies, victim).destroy();
    EXPECT_TRUE(all_show(copies));
  }
  const std::string& notes = copies.front().notes();
  EXPECT_FALSE(contains(notes.substr(notes.find(note) + note.size()), "futex_waitv"));
  expect_clean_end(copies);
}

}  // namespace
}  // namespace share_data::test
