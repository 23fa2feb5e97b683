#include "status.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "identity.h"

namespace share_data {
namespace {

using std::chrono::system_clock;

/// The longest running first.
std::vector<Instance> instances_in(const Table& table) {
  std::vector<Identity> live;
  for (const Word word : table.look().slots) {
    if (is_counted(word) && is_alive(identity_of(word))) live.push_back(identity_of(word));
  }
  std::ranges::sort(live);
  live.erase(std::unique(live.begin(), live.end()), live.end());
  std::vector<Instance> instances;
  for (const Identity identity : live) {
    std::optional<double> seconds;
    if (const auto started = start_of(identity)) {
      seconds = std::max(0.0, std::chrono::duration<double>(system_clock::now() - *started).count());
    }
    instances.push_back({.pid = pid_of(identity), .seconds = seconds});
  }
  std::ranges::stable_sort(instances, std::greater{}, &Instance::seconds);
  return instances;
}

std::string_view meaning_of(Word word) {
  switch (mark_of(word)) {
    case Mark::running:
      return "running; counted";
    case Mark::joining:
      return "has just joined, not everybody has been told; counted";
    case Mark::candidate:
      return "counts the others, for --max; not counted";
    case Mark::leaving:
      return "leaving; not counted";
    case Mark::killed:
      return "was killed, and everybody is being told; free for the next copy";
  }
  return "garbage";
}

/// The memory itself, word by word.
std::string words_in(const Table& table, const std::string& where) {
  std::string text = fmt::format("\n{}\n", where);
  const auto add = [&](std::string_view word, const std::string& value, std::string_view meaning) {
    text += fmt::format("  {:<10}  {:<18}  {}\n", word, value, meaning);
  };
  add("magic", fmt::format("{:#x}", table.magic.load()), "a table of version 2");
  add("id", fmt::format("{:#x}", table.id.load()), "a random number that the events are named after");
  add("admitting", to_text(table.admitting), "whose turn it is to join under --max");
  add("changes", std::to_string(table.changes), "goes up with every change; each value has its event");
  add("plain", std::to_string(table.plain), "the article's counter: ++ on start, -- on a clean exit");
  for (std::size_t i = 0; i < slot_count; ++i) {
    const Word word = table.slots[i];
    if (word != 0) add(fmt::format("slot {}", i), to_text(word), meaning_of(word));
  }
  return text;
}

}  // namespace

void print_status(const Table* table, const std::string& where, const Log& log) {
  const std::error_code error =
      table == nullptr ? log.status({}, 0)
                       : log.status(instances_in(*table), table->plain, log.explains() ? words_in(*table, where) : "");
  if (error) throw std::system_error(error, "standard output");
}

}  // namespace share_data
