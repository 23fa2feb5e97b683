#include "status.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "identity.h"

namespace share_data {
namespace {

/// How long the process has been running; empty if the system does not tell.
std::optional<double> seconds_since_start_of(Identity identity) {
  const auto started = start_of(identity);
  if (!started) return std::nullopt;
  const std::chrono::duration<double> time = std::chrono::system_clock::now() - *started;
  return std::max(0.0, time.count());  // the clock may have been set back
}

/// The longest running first.
std::vector<Instance> instances_in(const Table& table) {
  std::set<Identity> live;  // a copy that moves to another slot is in two of them
  for (const Word word : table.look().slots) {
    if (is_counted(word) && is_alive(identity_of(word))) live.insert(identity_of(word));
  }
  std::vector<Instance> instances;
  for (const Identity identity : live) instances.push_back({pid_of(identity), seconds_since_start_of(identity)});
  std::ranges::stable_sort(instances, std::greater{}, &Instance::seconds);
  return instances;
}

/// The memory itself, word by word.
std::string words_in(const SharedMemory& memory) {
  const Table& table = *memory.table;
  std::string text = fmt::format("\n{}\n", memory.description);
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

void print_status(const std::optional<SharedMemory>& memory, const Log& log) {
  std::vector<Instance> instances;
  std::int32_t plain = 0;
  std::string words;
  if (memory) {
    instances = instances_in(*memory->table);
    plain = memory->table->plain;
    if (log.explains()) words = words_in(*memory);
  }
  if (const auto error = log.status(instances, plain, words)) throw std::system_error(error, "standard output");
}

}  // namespace share_data
