#include "table.h"

#include <algorithm>

#include "log.h"

namespace share_data {
namespace {

/// The text for the mark of this word; the last one is for garbage.
std::string_view text_for(Word word, const std::array<std::string_view, 5>& texts) {
  return texts[std::min(static_cast<std::size_t>(mark_of(word)), texts.size() - 1)];
}

}  // namespace

View Table::look() const {
  View view{.left_count = left_count, .slots = {slots.begin(), slots.end()}};
  view.live = static_cast<std::uint32_t>(std::ranges::count_if(view.slots, is_counted));
  return view;
}

bool Table::replace(std::uint32_t index, Word from, Word to, const Log& log) {
  const bool replaced = slots[index].compare_exchange_strong(from, to);
  if (replaced && log.explains()) log.explain("slot {}: {} -> {}", index, to_text(from), to_text(to));
  return replaced;
}

std::optional<std::uint32_t> Table::claim(Word word, const Log& log) {
  for (std::uint32_t i = 0; i < slot_count; ++i) {
    if (slots[i] == 0 && replace(i, 0, word, log)) return i;
  }
  return std::nullopt;
}

void Table::take_out(Identity ended, const Log& log) {
  for (std::uint32_t i = 0; i < slot_count; ++i) {
    const Word word = slots[i];
    if (word != 0 && identity_of(word) == ended) replace(i, word, 0, log);
  }
}

// In this order, whoever misses this copy in the table finds it in `left`. A copy can be suspended at any step, and go
// on when others have used its place there. So it does not write there any more (the value has changed since it was
// read), and it writes another entry if half of `left` is new. Its slot still says that it leaves then.
void Table::leave(std::uint32_t index, Identity identity, const Log& log) {
  std::uint32_t number = 0;
  const auto is_late = [&] { return left_count - number > left_size / 2; };
  const auto append = [&] {
    number = left_count++;
    std::atomic<Word>& place = left[number % left_size];
    Word older = place;
    return !is_late() && place.compare_exchange_strong(older, word_of(identity));
  };
  do {
    while (!append()) {}
    log.explain("left[{}] = {}: I leave normally", number % left_size, pid_of(identity));
    replace(index, word_of(identity), word_of(identity, Mark::leaving), log);
  } while (is_late());
}

// Half of `left` is in reserve for copies that were counted, although they were in it already.
std::optional<bool> Table::has_left(Identity identity, const View& before) const {
  const auto has = [](const auto& words, Word word) {
    return std::ranges::any_of(words, [=](const auto& each) { return each == word; });
  };
  if (has(slots, word_of(identity, Mark::leaving)) || has(left, word_of(identity))) return true;
  if (left_count - before.left_count > left_size / 2) return std::nullopt;
  return false;
}

std::string to_text(Word word) {
  const auto mark = text_for(word, {"", "|joining", "|notifying", "|leaving", "|garbage"});
  return std::to_string(pid_of(identity_of(word))).append(mark);
}

std::string_view meaning_of(Word word) {
  return text_for(
      word, {"running; counted", "has claimed the slot under --max, counts the rest; not counted",
             "has just joined, not all copies are notified yet; counted", "leaves normally; not counted", "garbage"});
}

}  // namespace share_data
