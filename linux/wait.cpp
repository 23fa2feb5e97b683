// How a copy sleeps until there is something to do: without a timeout, so it costs nothing; on kernels before 5.16, it
// polls. futex(2), futex_waitv(2).
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <vector>

#include "failure.h"
#include "stop_request.h"
#include "table.h"

namespace share_data {
namespace {

constexpr long look_again_after_ms = 500;

/// One word, as futex_waitv(2) takes it. The headers of kernels before 5.16 do not have it, nor the number of the call,
/// which is the same on all processors but Alpha. The kernel that runs may have both.
struct WaitedWord {
  std::uint64_t seen;
  std::uint64_t address;
  std::uint32_t flags = 2;  // 32 bits
  std::uint32_t reserved = 0;
};
constexpr long futex_waitv_call = 449;
constexpr std::size_t most_words = 128;

/// With the value that it was seen to have: if it has another one by now, the wait does not even begin.
WaitedWord waited(const std::atomic<Word>& word, Word seen) {
  return {.seen = seen, .address = reinterpret_cast<std::uintptr_t>(&word)};
}

/// The word of `slot` that the `number`th copy that watches it waits on: the owner word or one of the alarm words.
/// Anybody may have overwritten an alarm word; then it is the owner word, too.
WaitedWord waited(const Slot& slot, Word owner, std::size_t number) {
  const std::size_t alarm = number % (1 + slot.alarms.size());
  const Word expected = running_word(tid_of(owner));
  const bool is_alarm = alarm > 0 && slot.alarms[alarm - 1].word == expected;
  return is_alarm ? waited(slot.alarms[alarm - 1].word, expected) : waited(slot.owner, owner);
}

/// `changes`, the request to leave, and words of other copies: of all, as long as they fit. In a larger crowd, of those
/// that have just joined, whom nobody else may have seen, of the nearest eight in the slots below its own, around the
/// ring, and of others, each about an eighth further away: some 44 of 1000. So a death is seen even if many neighbours
/// in a row are stopped.
std::vector<WaitedWord> words_to_wait_for(const Table& table, const View& view, std::uint32_t own) {
  std::vector<WaitedWord> words{waited(table.changes, view.changes), waited(stop_request::requested, 0)};
  words.reserve(most_words);
  const bool all_fit = words.size() + view.claimed - 1 <= most_words;
  std::size_t passed = 0;
  std::size_t watched = 0;
  std::size_t next = 0;
  for (std::size_t distance = 1; distance < slot_count && words.size() < most_words; ++distance) {
    const std::size_t i = (own + slot_count - distance) % slot_count;
    const Word owner = view.slots[i].owner;
    if (!has_joined(owner)) continue;
    const bool chosen = all_fit || passed == next;
    if (passed == next) next += 1 + (passed + 1) / 8;
    ++passed;
    if (!chosen && !is_new(owner)) continue;
    words.push_back(waited(table.slots[i], owner, watched));
    if (chosen) ++watched;
  }
  return words;
}

std::size_t slot_of(const Table& table, const WaitedWord& word) {
  return (word.address - reinterpret_cast<std::uintptr_t>(table.slots.data())) / sizeof(Slot);
}

void explain_sleep(const Log& log, const Table& table, const std::vector<WaitedWord>& words) {
  std::string marks;
  for (std::size_t i = words.size() - 1; i >= 2; --i) {
    marks += fmt::format("{}{}", marks.empty() ? ", the kernel marks slot " : " or ", slot_of(table, words[i]));
  }
  log.explain("sleeping until changes is no longer {}{}, or a signal comes", words[0].seen, marks);
}

void explain_wake(const Log& log, const Table& table, const std::vector<WaitedWord>& words, long woken) {
  if (woken < 0) return log.explain("woken by a signal");
  if (woken < 2) return log.explain("woken by another copy: changes is now {}", table.changes.load());
  const WaitedWord& word = words[static_cast<std::size_t>(woken)];
  const std::size_t slot = slot_of(table, word);
  log.explain("woken by the kernel: slot {} was {}, and is now {}", slot, to_text(static_cast<Word>(word.seen)),
              to_text(table.slots[slot].owner));
}

/// Between start() and stop(), the copy leaves, as after SIGTERM, when nobody reads its lines any more. The kernel
/// sends SIGIO when the last reader closes a pipe, or the peer a socket (fcntl(2): F_SETOWN, O_ASYNC), and after each
/// read: so only while the copy sleeps. A terminal that is closed sends SIGHUP itself. Of all who share a pipe, one
/// process gets the signal. When that copy leaves, the others wake up, and one of them is next.
class ReaderWatch {
 public:
  ReaderWatch() { (void)signal(SIGIO, leave_if_nobody_reads); }  // which restarts what it interrupts
  ~ReaderWatch() {
    if (fcntl(STDOUT_FILENO, F_GETOWN) == getpid()) (void)fcntl(STDOUT_FILENO, F_SETOWN, 0);
  }
  ReaderWatch(const ReaderWatch&) = delete;
  ReaderWatch& operator=(const ReaderWatch&) = delete;

  void start() {
    const int owner = is_terminal_ ? -1 : fcntl(STDOUT_FILENO, F_GETOWN);
    is_ours_ = owner == getpid() || (owner == 0 && fcntl(STDOUT_FILENO, F_SETOWN, getpid()) == 0);
    if (!is_ours_) return;
    (void)fcntl(STDOUT_FILENO, F_SETFL, fcntl(STDOUT_FILENO, F_GETFL) | O_ASYNC);
    leave_if_nobody_reads(SIGIO);  // it may have happened already
  }
  void stop() const {
    if (is_ours_) (void)fcntl(STDOUT_FILENO, F_SETFL, fcntl(STDOUT_FILENO, F_GETFL) & ~O_ASYNC);
  }

 private:
  static void leave_if_nobody_reads(int /*signal*/) {
    const int error = errno;
    pollfd output{.fd = STDOUT_FILENO, .events = 0, .revents = 0};
    if (poll(&output, 1, 0) > 0) kill(getpid(), SIGTERM);  // POLLERR or POLLHUP
    errno = error;
  }

  bool is_terminal_ = isatty(STDOUT_FILENO) == 1;
  bool is_ours_ = false;
};

}  // namespace

void wait_for_change(const Table& table, const View& view, std::uint32_t own, const Log& log) {
  static ReaderWatch reader;
  static bool is_refused = false;
  if (table.changes != view.changes || stop_request::made()) return;
  std::vector<WaitedWord> words;
  if (!is_refused) words = words_to_wait_for(table, view, own);
  if (log.explains() && !is_refused) explain_sleep(log, table, words);
  const timespec limit{.tv_sec = 0, .tv_nsec = look_again_after_ms * 1'000'000};
  reader.start();
  const long woken = is_refused ? syscall(SYS_futex, &table.changes, FUTEX_WAIT, view.changes, &limit, nullptr, 0)
                                : syscall(futex_waitv_call, words.data(), words.size(), 0U, nullptr, CLOCK_MONOTONIC);
  const int error = woken < 0 ? errno : 0;
  reader.stop();
  if (is_refused) return;
  if (log.explains() && (error == 0 || error == EINTR)) explain_wake(log, table, words, woken);
  if (error == 0 || error == EAGAIN || error == EINTR) return;
  if (error == ENOMEM) throw failed_call(error, "futex_waitv");
  is_refused = true;  // ENOSYS from an old kernel; a sandbox may say anything
  log.note("futex_waitv: {} (before Linux 5.16, or in a sandbox): looking for killed copies every {} ms instead",
           system_message(error), look_again_after_ms);
}

void cool_down(std::uint32_t live) {
  if (!stop_request::made()) (void)poll(nullptr, 0, std::max(16, static_cast<int>(live * 64 / 1000)));
}

}  // namespace share_data
