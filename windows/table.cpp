#include "table.h"

#include <algorithm>

#include "log.h"

namespace share_data {
namespace {

struct MarkText {
  std::string_view name;
  std::string_view meaning;
};

MarkText text_of(Word word) {
  constexpr std::array<MarkText, 5> texts{{
      {"", "running; counted"},
      {"|joining", "has claimed the slot under --max, counts the rest; not counted"},
      {"|notifying", "has just joined, not all copies are notified yet; counted"},
      {"|leaving", "leaves on its own; not counted"},
      {"|garbage", "garbage"},
  }};
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

void Table::say_that_it_leaves(Identity identity, const Log& log) {
  const std::size_t index = left_count++ % left_size;
  left[index] = word_of(identity);
  log.explain("left[{}] = {}: I leave on my own", index, pid_of(identity));
}

// Half of `left` is in reserve for copies that had said so before that look, and were counted all the same: they are on
// their way from one word to the other.
std::optional<bool> Table::has_left(Identity identity, const View& before) const {
  if (std::ranges::any_of(left, [&](const auto& word) { return word == word_of(identity); })) return true;
  if (left_count - before.left_count > left_size / 2) return std::nullopt;
  return false;
}

std::string to_text(Word word) { return std::to_string(pid_of(identity_of(word))).append(text_of(word).name); }

std::string_view meaning_of(Word word) { return text_of(word).meaning; }

}  // namespace share_data
