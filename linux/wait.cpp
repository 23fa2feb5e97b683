// How a copy sleeps until there is something to do: without a timeout, so it costs nothing; on kernels before 5.16, it
// polls. futex(2), futex_waitv(2).
#include <linux/futex.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <set>
#include <vector>

#include <fmt/ranges.h>

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
  std::uint32_t flags;
  std::uint32_t reserved;
};
constexpr long futex_waitv_call = 449;
constexpr std::size_t most_words = 128;
constexpr std::uint32_t word_has_32_bits = 2;

/// With the value that it was seen to have: if it has another one by now, the wait does not even begin.
WaitedWord waited(const std::atomic<Word>& word, Word seen) {
  return {seen, reinterpret_cast<std::uintptr_t>(&word), word_has_32_bits, 0};
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
/// ring, and of others, each about an eighth further away: some 55 of 1000. So a death is seen even if many neighbours
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
  std::set<std::size_t> slots;
  for (std::size_t i = 2; i < words.size(); ++i) slots.insert(slot_of(table, words[i]));
  const auto marks = slots.empty() ? "" : fmt::format(", the kernel marks slot {}", fmt::join(slots, " or "));
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

}  // namespace

void wait_for_change(const Table& table, const View& view, std::uint32_t own, const Log& log) {
  static bool refused = false;
  if (table.changes != view.changes || stop_request::made()) return;
  if (refused) {
    const timespec limit{.tv_sec = 0, .tv_nsec = look_again_after_ms * 1'000'000};
    syscall(SYS_futex, &table.changes, FUTEX_WAIT, view.changes, &limit, nullptr, 0);
    return;
  }
  const std::vector<WaitedWord> words = words_to_wait_for(table, view, own);
  if (log.explains()) explain_sleep(log, table, words);
  const long woken = syscall(futex_waitv_call, words.data(), words.size(), 0U, nullptr, CLOCK_MONOTONIC);
  const int error = woken < 0 ? errno : 0;
  if (log.explains() && (error == 0 || error == EINTR)) explain_wake(log, table, words, woken);
  if (error == 0 || error == EAGAIN || error == EINTR) return;
  if (error == ENOMEM) throw failed_call(error, "futex_waitv");
  refused = true;  // ENOSYS from an old kernel; a sandbox may say anything
  log.note(
      "futex_waitv: {}: this kernel is older than 5.16, or a sandbox forbids the call; looking for killed copies every "
      "{} ms instead",
      system_message(error), look_again_after_ms);
}

void cool_down(std::uint32_t live) {
  if (!stop_request::made()) (void)poll(nullptr, 0, std::max(16, static_cast<int>(live * 64 / 1000)));
}

}  // namespace share_data
