#include "soak.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "identity.h"
#include "shared_memory.h"
#include "table.h"
#include "win32.h"

namespace share_data::test {
namespace {

constexpr std::uint32_t places = 8;

/// What the table's events are named after.
struct Names {
  std::uint64_t id = 0;
  std::uint32_t changes = 0;
};

/// Whoever writes garbage wakes those who wait: they can no longer be found from what lies in the table. A copy that
/// read the table during the write may wait on the event of an old id with a new number, or the other way round.
void wake_all(const Names& before, const Names& after) {
  constexpr std::uint32_t most_changes_meanwhile = 50;
  for (const std::uint64_t id : {before.id, after.id}) {
    for (const std::uint32_t changes : {before.changes, after.changes}) {
      for (std::uint32_t i = 0; i < 2 * most_changes_meanwhile; ++i) {
        const std::uint32_t number = changes - most_changes_meanwhile + i;
        const Handle event{
            OpenEventA(EVENT_MODIFY_STATE, FALSE, fmt::format("Local\\share_data-{:016x}-{}", id, number).c_str())};
        if (event) SetEvent(event.get());
      }
    }
  }
}

Names names_in(const Table& table) { return {table.id, table.changes}; }

Names names_in(HANDLE process, const std::byte* table) {
  Names names;
  ReadProcessMemory(process, table + offsetof(Table, id), &names.id, sizeof(names.id), nullptr);
  ReadProcessMemory(process, table + offsetof(Table, changes), &names.changes, sizeof(names.changes), nullptr);
  return names;
}

}  // namespace

Soak::Soak(std::uint32_t seed, std::wstring mapping) : random_(seed), mapping_(std::move(mapping)) {
  if (!mapping_.empty()) options_ = {L"--via", L"mapping", L"--name", mapping_};
}

void Soak::note(const std::string& text) {
  SYSTEMTIME now{};
  GetLocalTime(&now);
  deeds_.push_back(
      fmt::format("{:02}:{:02}:{:02}.{:03} {}", now.wHour, now.wMinute, now.wSecond, now.wMilliseconds, text));
  constexpr std::size_t most = 200;
  if (deeds_.size() > most) deeds_.pop_front();
}

Soak::Member& Soak::start(std::size_t place, const std::vector<std::wstring>& options, bool in_console) {
  Start how{.arguments = options_, .console = in_console ? console_.handle() : nullptr};
  how.arguments.insert(how.arguments.end(), options.begin(), options.end());
  Member member{.copy = std::make_unique<Copy>(folder_.exe(), how), .in_console = in_console};
  std::string text = fmt::format("start {} at {}", member.copy->pid(), place);
  for (const std::wstring& option : options) text += fmt::format(" {}", to_utf8(option));
  note(text);
  return members_.insert_or_assign(place, std::move(member)).first->second;
}

void Soak::run_round() {
  const std::uint32_t dice = below(10);
  const bool with_garbage = dice < 3;
  const std::uint32_t number = below(1U << 30U);
  note(dice == 9 ? "round: limit" : with_garbage ? "round: with garbage" : "round: ordinary");
  const std::uint32_t deeds = 1 + below(12);
  for (std::uint32_t i = 0; i < deeds; ++i) do_something(with_garbage);
  rest(with_garbage);
  if (dice == 9) start_many_limited(number);
  while (gone_.size() > 2 * places) gone_.pop_front();
}

void Soak::do_something(bool with_garbage) {
  const std::size_t place = below(places);
  const std::uint32_t dice = below(100);
  const std::uint32_t number = below(1U << 30U);
  const bool garbage = below(5) == 0;
  if (with_garbage && garbage) {
    write_garbage(number);
  } else if (dice >= 90) {
    Sleep(number % 50);  // of no importance for what is true: it lets things meet in other ways
  } else if (dice >= 85) {
    press_ctrl_c();
  } else {
    do_at(place, dice, number);
  }
}

void Soak::do_at(std::size_t place, std::uint32_t dice, std::uint32_t number) {
  const auto found = members_.find(place);
  if (found == members_.end()) {
    if (dice < 20) {
      start(place, {L"--for", std::to_wstring(0.001 * (1 + number % 500))}).timed = true;
    } else if (dice < 35) {
      start(place, {L"--max", std::to_wstring(1 + number % places)}).limited = true;
    } else {
      start(place, {}, number % 3 == 0);
    }
  } else if (dice < 40) {
    end(place);
  } else {
    suspend_or_resume(found->second);
  }
}

void Soak::end(std::size_t place) {
  Member member = std::move(members_.extract(place).mapped());
  note(fmt::format("terminate {}", member.copy->pid()));
  TerminateProcess(member.copy->process(), 1);
  member.terminated = true;
  leaving_.push_back(std::move(member));
}

void Soak::suspend_or_resume(Member& member) {
  note(fmt::format("{} {}", member.suspended ? "resume" : "suspend", member.copy->pid()));
  member.suspended ? member.copy->resume() : member.copy->suspend();
  member.suspended = !member.suspended;
}

/// Goes to all in the console. A process that starts just then may miss it, or never finish its start under Wine;
/// so those that start are waited for.
void Soak::press_ctrl_c() {
  std::vector<std::size_t> there;
  for (auto& [place, member] : members_) {
    if (!member.in_console) continue;
    if (member.suspended) suspend_or_resume(member);
    there.push_back(place);
  }
  const auto has_joined = [&](std::size_t place) { return members_.at(place).copy->shows().has_value(); };
  if (!eventually([&] { return std::ranges::all_of(there, has_joined); })) throw Wrong("somebody does not join");
  note("Ctrl+C");
  for (const std::size_t place : there) {
    leaving_.push_back(std::move(members_.extract(place).mapped()));
    leaving_.back().told = true;
  }
  console_.send(CTRL_C_EVENT);
}

/// Not into the first word, the magic: without it a mapping is not ours, and newcomers rightly refuse it.
void Soak::write_garbage(std::uint32_t number) {
  constexpr std::size_t after_magic = sizeof(std::uint64_t);
  constexpr std::size_t all_words = sizeof(Table) / sizeof(std::uint64_t) - 1;
  std::mt19937_64 random{number};
  const std::size_t somewhere = offsetof(Table, slots) + sizeof(Word) * (random() % 16);
  std::vector<std::uint64_t> words(all_words);
  switch (number % 5) {
    case 0:
      note("garbage: random words everywhere");
      std::ranges::generate(words, random);
      return write(after_magic, words);
    case 1:
      note("garbage: zeros everywhere");
      return write(after_magic, words);
    case 2:
      note("garbage: a random word in a slot");
      return write(somewhere, {random()});
    case 3:
      note("garbage: a copy in one more slot");
      return write(somewhere, {word_of(somebody())});
    default:
      note("garbage: a copy that seems to be joining under --max");
      return write(somewhere, {word_of(somebody(), Mark::joining)});
  }
}

/// The first one that there is.
Identity Soak::somebody() const {
  if (members_.empty()) return Identity::nobody;
  return identity_of_pid(members_.begin()->second.copy->pid()).value_or(Identity::nobody);
}

/// Writes nothing while the table has no id: a copy could make one before the words are written, and then wait on an
/// event whose name nobody knows. An id other than 0 changes only here.
void Soak::write(std::size_t offset, const std::vector<std::uint64_t>& words) {
  if (!mapping_.empty()) {
    const SharedMemory mapping = open_or_create_mapping(to_utf8(mapping_), Log{{}, 0});
    const Names before = names_in(*mapping.table);
    if (before.id == 0) return;
    auto* const bytes = reinterpret_cast<std::byte*>(mapping.table.get());
    std::ranges::copy(std::as_bytes(std::span{words}), bytes + offset);
    return wake_all(before, names_in(*mapping.table));
  }
  for (const auto& [place, member] : members_) {  // the first one that has said where its section lies
    const std::string notes = member.copy->notes();
    constexpr std::string_view label = "SHARED at 0x";
    const auto found = notes.find(label);
    if (found == std::string::npos) continue;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): an address in another process
    auto* const table = reinterpret_cast<std::byte*>(std::stoull(notes.substr(found + label.size()), nullptr, 16));
    HANDLE const process = member.copy->process();
    const Names before = names_in(process, table);
    if (before.id == 0) return;
    WriteProcessMemory(process, table + offset, words.data(), words.size() * sizeof(words.front()), nullptr);
    return wake_all(before, names_in(process, table));
  }
}

void Soak::start_many_limited(std::uint32_t number) {
  const std::size_t live = members_.size();
  const std::size_t starters = 2 + number % 4;
  const std::size_t max = 1 + number / 16 % (places + 2);
  for (std::size_t i = 0; i < starters; ++i) start(places + i, {L"--max", std::to_wstring(max)}).limited = true;
  wait_for_rest();
  const std::size_t may = max > live ? std::min(max - live, starters) : 0;
  const std::size_t have = members_.size() - live;
  if (have != may) {
    throw Wrong(fmt::format("{} were live, {} started with --max {}, {} joined", live, starters, max, have));
  }
  expect_truth();
  for (std::size_t i = 0; i < starters; ++i) {
    if (members_.contains(places + i)) end(places + i);
  }
  wait_for_rest();
  expect_truth();
}

}  // namespace share_data::test
