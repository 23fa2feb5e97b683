#include "wait.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>

#include "failed_call.h"
#include "stop_request.h"

namespace share_data {
namespace {

constexpr std::size_t reach = 8;
constexpr std::size_t most_watched = MAXIMUM_WAIT_OBJECTS - 3;  // the others: the event, the request to leave, the line
constexpr DWORD look_again_after_ms = 500;

std::string event_name(std::uint64_t id, std::uint32_t number) {
  return fmt::format("Local\\share_data-{:016x}-{}", id, number);
}

/// Empty if somebody else has taken the name.
Handle open_event(std::uint64_t id, std::uint32_t number) {
  constexpr DWORD rights = SYNCHRONIZE | EVENT_MODIFY_STATE;
  static const auto security = for_everybody(rights);
  SECURITY_ATTRIBUTES attributes{sizeof(attributes), security.get(), FALSE};
  const std::wstring name = to_utf16(event_name(id, number));
  return Handle{CreateEventExW(&attributes, name.c_str(), CREATE_EVENT_MANUAL_RESET, rights)};
}

/// Memory is new, or somebody has zeroed it, if it has no id.
std::uint64_t id_of(Table& table) {
  std::uint64_t id = table.id;
  if (id != 0) return id;
  std::random_device random;
  const std::uint64_t own = std::uint64_t{random()} << 32U | random();
  return table.id.compare_exchange_strong(id, own) ? own : id;
}

/// Those whose end the copy in slot `own` waits for, the nearest first.
std::vector<Identity> to_watch(const View& view, std::uint32_t own) {
  std::vector<Identity> found;
  std::size_t passed = 0;
  for (std::size_t distance = 1; distance < slot_count && found.size() < most_watched; ++distance) {
    const Word word = view.slots[(own + slot_count - distance) % slot_count];
    if (word == 0 || mark_of(word) == Mark::killed) continue;
    const bool is_near = ++passed <= reach;
    if (!is_near && mark_of(word) != Mark::joining) continue;
    if (std::ranges::find(found, identity_of(word)) == found.end()) found.push_back(identity_of(word));
  }
  return found;
}

}  // namespace

void tell(Table& table, const Log& log) { Generation{table}.end(log); }

Generation::Generation(Table& table) : table_(&table) {
  do {
    id_ = id_of(table);
    number_ = table.changes;
    event_ = open_event(id_, number_);
  } while (table.changes != number_ || table.id != id_);
}

void Generation::end(const Log& log) const {
  SetEvent(event_.get());
  move_on();
  log.explain("SetEvent({}): all who wait for it wake; changes: {} -> {}", event_name(id_, number_), number_,
              number_ + 1);
}

/// Not if somebody has zeroed the table: the numbers of its new id are for others to move on.
void Generation::move_on() const {
  if (table_->id != id_) return;
  std::uint32_t seen = number_;
  table_->changes.compare_exchange_strong(seen, number_ + 1);
}

HANDLE Generation::wait(std::vector<HANDLE> others, DWORD patience_ms) const {
  others.insert(others.begin(), {event_.get(), StopRequest::event()});
  std::erase(others, nullptr);
  const DWORD limit = event_ ? patience_ms : std::min(patience_ms, look_again_after_ms);
  const DWORD result = WaitForMultipleObjects(static_cast<DWORD>(others.size()), others.data(), FALSE, limit);
  if (result == WAIT_FAILED) throw failed_call(static_cast<int>(GetLastError()), "WaitForMultipleObjects");
  void* const woken = result < others.size() ? others[result] : nullptr;
  if (event_ && woken == event_.get()) {
    move_on();
  } else if (table_->changes != number_ || table_->id != id_) {
    SetEvent(event_.get());  // it is set already, unless somebody has overwritten what its name is made of
  }
  return woken;
}

std::vector<HANDLE> Watch::processes() const {
  std::vector<HANDLE> handles;
  handles.reserve(watched_.size());
  for (const Watched& watched : watched_) handles.push_back(watched.process.get());
  return handles;
}

std::vector<Identity> Watch::those_that_ended() const {
  std::vector<Identity> ended;
  const std::vector<HANDLE> handles = processes();
  const auto count = static_cast<DWORD>(handles.size());
  if (count == 0 || WaitForMultipleObjects(count, handles.data(), FALSE, 0) == WAIT_TIMEOUT) return ended;
  for (const Watched& watched : watched_) {
    if (WaitForSingleObject(watched.process.get(), 0) == WAIT_OBJECT_0) ended.push_back(watched.identity);
  }
  return ended;
}

std::vector<Identity> Watch::follow(const View& view, std::uint32_t own) {
  std::vector<Identity> ended = those_that_ended();
  std::vector<Watched> before = std::exchange(watched_, {});
  all_open_ = true;
  for (const Identity identity : to_watch(view, own)) {
    if (std::ranges::find(ended, identity) != ended.end()) continue;
    const auto known = std::ranges::find(before, identity, &Watched::identity);
    if (known != before.end()) {
      watched_.push_back(std::move(*known));
      continue;
    }
    OpenedProcess process = open_process(identity);
    const auto* const refusal = process.dead ? "it has ended" : "no";
    log_.explain("OpenProcess({}) = {}", pid_of(identity), process.handle ? "a handle that its end signals" : refusal);
    if (process.dead) ended.push_back(identity);
    all_open_ = all_open_ && (process.dead || process.handle);
    if (process.handle) watched_.push_back({identity, std::move(process.handle)});
  }
  return ended;
}

void Watch::wait(HANDLE line) {
  const bool polls = !all_open_ || generation_.event() == nullptr;
  if (polls && !std::exchange(said_so_, true)) {
    log_.note("{}; looking at the table every {} ms instead",
              all_open_ ? "somebody has taken the name of our event" : "we may not watch all the others",
              look_again_after_ms);
  }
  if (log_.explains()) log_.explain("waiting for {}", awaited());
  std::vector<HANDLE> handles = processes();
  handles.push_back(line);
  void* const woken = generation_.wait(std::move(handles), polls ? look_again_after_ms : INFINITE);
  if (log_.explains()) log_.explain("woken: {}", reason_for(woken));
}

std::string Watch::awaited() const {
  std::string text = fmt::format("the event of generation {}, a request to leave", generation_.number());
  if (!watched_.empty()) text += ", and the end of";
  for (const Watched& watched : watched_) text += fmt::format(" {}", pid_of(watched.identity));
  return text;
}

std::string Watch::reason_for(HANDLE woken) const {
  for (const Watched& watched : watched_) {
    if (watched.process.get() == woken) return fmt::format("process {} has ended", pid_of(watched.identity));
  }
  if (woken == nullptr) return "it is time for a look";
  if (woken == StopRequest::event()) return "a request to leave";
  if (woken != generation_.event()) return "the line before is written";
  return fmt::format("somebody has set the event of generation {}", generation_.number());
}

}  // namespace share_data
