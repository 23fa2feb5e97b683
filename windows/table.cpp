#include "table.h"

#include <algorithm>

namespace share_data {
namespace {

struct MarkText {
  std::string_view name;
  std::string_view meaning;
};

MarkText text_of(Word word) {
  constexpr std::array<MarkText, 5> texts{{
      {"", "running; counted"},
      {"|joining", "has just joined, not everybody has been told; counted"},
      {"|candidate", "counts the others, for --max; not counted"},
      {"|leaving", "leaving; not counted"},
      {"|killed", "was killed, and everybody is being told; free for the next copy"},
  }};
  const auto mark = static_cast<std::size_t>(mark_of(word));
  return mark < texts.size() ? texts[mark] : MarkText{"|garbage", "garbage"};
}

}  // namespace

View Table::look() const {
  View view{.live = 0, .slots = {slots.begin(), slots.end()}};
  view.live = static_cast<std::uint32_t>(std::ranges::count_if(view.slots, is_counted));
  return view;
}

bool Table::replace(std::uint32_t index, Word from, Word to, const Log& log) {
  const bool replaced = slots[index].compare_exchange_strong(from, to);
  if (replaced && log.explains()) log.explain("slot {}: {} -> {}", index, to_text(from), to_text(to));
  return replaced;
}

// Slots of killed copies last: as long as such a word stands, everybody can read from it that the copy was killed.
std::optional<std::uint32_t> Table::claim(Word word, const Log& log) {
  for (const bool from_killed : {false, true}) {
    for (std::uint32_t i = 0; i < slot_count; ++i) {
      const Word seen = slots[i];
      const bool available = from_killed ? mark_of(seen) == Mark::killed : seen == 0;
      if (available && replace(i, seen, word, log)) return i;
    }
  }
  return std::nullopt;
}

void Table::take_out(Identity dead, const Log& log) {
  for (std::uint32_t i = 0; i < slot_count; ++i) {
    const Word word = slots[i];
    if (word == 0 || identity_of(word) != dead || mark_of(word) == Mark::killed) continue;
    replace(i, word, is_counted(word) ? word_of(dead, Mark::killed) : 0, log);
  }
}

std::string to_text(Word word) { return std::to_string(pid_of(identity_of(word))).append(text_of(word).name); }

std::string_view meaning_of(Word word) { return text_of(word).meaning; }

}  // namespace share_data
