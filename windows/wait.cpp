#include "wait.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>
#include <utility>

#include "failure.h"
#include "stop_request.h"

namespace share_data {
namespace {

constexpr std::size_t reach = 8;
constexpr std::size_t most_watched = MAXIMUM_WAIT_OBJECTS - 3;  // the others: the event, the request to leave, the line
constexpr DWORD look_again_after_ms = 500;

std::string event_name(std::uint64_t id, std::uint32_t changes) {
  return fmt::format("Local\\share_data-{:016x}-{}", id, changes);
}

/// Empty if an object of another kind has the name.
Handle open_event(std::uint64_t id, std::uint32_t changes) {
  constexpr DWORD rights = SYNCHRONIZE | EVENT_MODIFY_STATE;
  static const auto security = for_everybody(rights);
  SECURITY_ATTRIBUTES attributes{sizeof(attributes), security.get(), FALSE};
  const std::string name = event_name(id, changes);
  Handle event{CreateEventExW(&attributes, to_utf16(name).c_str(), CREATE_EVENT_MANUAL_RESET, rights)};
  const DWORD error = GetLastError();
  if (!event && error != ERROR_INVALID_HANDLE) throw failed_call(static_cast<int>(error), "CreateEvent", name);
  return event;
}

/// Memory is new, or somebody has zeroed it, if it has no id.
std::uint64_t id_of(Table& table) {
  std::uint64_t id = table.id;
  if (id != 0) return id;
  std::random_device random;
  const std::uint64_t own = std::uint64_t{random()} << 32U | random();
  return table.id.compare_exchange_strong(id, own) ? own : id;
}

/// Those whose end the copy in slot `own` waits for, the nearest first. A copy that leaves watches nobody any more, so
/// it is not one of the nearest 8.
std::vector<Identity> to_watch(const View& view, std::uint32_t own) {
  std::vector<Identity> found;
  std::size_t passed = 0;
  for (std::size_t distance = 1; distance < slot_count && found.size() < most_watched; ++distance) {
    const Word word = view.slots[(own + slot_count - distance) % slot_count];
    if (word == 0) continue;
    const bool is_near = passed < reach;
    if (mark_of(word) != Mark::leaving) ++passed;
    if (!is_near && mark_of(word) != Mark::notifying) continue;
    if (std::ranges::find(found, identity_of(word)) == found.end()) found.push_back(identity_of(word));
  }
  return found;
}

}  // namespace

NextChange::NextChange(Table& table) : table_(&table) {
  do {
    id_ = id_of(table);
    changes_ = table.changes;
    event_ = open_event(id_, changes_);
  } while (table.changes != changes_ || table.id != id_);
}

// An event that exists but cannot be set: not counted. Those who wait for it would never see that `changes` has gone
// on.
void NextChange::notify(const Log& log) const {
  if (event_ && SetEvent(event_.get()) == 0) throw failed_call(static_cast<int>(GetLastError()), "SetEvent");
  if (count()) {
    log.explain("SetEvent({}), changes: {} -> {}: all copies that wait for it are notified", event_name(id_, changes_),
                changes_, changes_ + 1);
  }
}

bool NextChange::count() const {
  std::uint32_t seen = changes_;
  return table_->changes.compare_exchange_strong(seen, changes_ + 1);
}

HANDLE NextChange::wait(std::vector<HANDLE> others, DWORD patience_ms) const {
  others.insert(others.begin(), {event_.get(), stop_request::event()});
  std::erase(others, nullptr);
  const DWORD result = WaitForMultipleObjects(static_cast<DWORD>(others.size()), others.data(), FALSE, patience_ms);
  if (result == WAIT_FAILED) throw failed_call(static_cast<int>(GetLastError()), "WaitForMultipleObjects");
  void* const woken = result < others.size() ? others[result] : nullptr;
  if (event_ && woken == event_.get()) {
    (void)count();
  } else if (table_->changes != changes_ || table_->id != id_) {
    SetEvent(event_.get());  // it is set already, unless somebody has overwritten what its name is made of
  }
  return woken;
}

void notify(Table& table, const Log& log) { NextChange{table}.notify(log); }

std::vector<Identity> Watch::follow(const View& view, std::uint32_t own) {
  std::vector<Identity> ended;
  for (const auto& [identity, process] : watched_) {
    if (WaitForSingleObject(process.get(), 0) == WAIT_OBJECT_0) ended.push_back(identity);
  }
  std::map<Identity, Handle> before = std::exchange(watched_, {});
  all_open_ = true;
  for (const Identity identity : to_watch(view, own)) {
    if (std::ranges::find(ended, identity) != ended.end()) continue;
    if (auto known = before.extract(identity)) {
      watched_.insert(std::move(known));
      continue;
    }
    OpenedProcess process = open_process(identity);
    const auto* const refusal = process.has_ended ? "it has ended" : "no";
    log_.explain("OpenProcess({}) = {}", pid_of(identity), process.handle ? "a handle that its end signals" : refusal);
    if (process.has_ended) ended.push_back(identity);
    all_open_ = all_open_ && (process.has_ended || process.handle);
    if (process.handle) watched_.emplace(identity, std::move(process.handle));
  }
  return ended;
}

void Watch::wait(HANDLE line) {
  const bool polls = !all_open_ || next_.event() == nullptr;
  if (polls && !std::exchange(said_so_, true)) {
    log_.note("{}; looking at the table every {} ms instead",
              all_open_ ? "somebody has taken the name of our event" : "we may not watch all the others",
              look_again_after_ms);
  }
  if (log_.explains()) log_.explain("sleeping until {}", awaited());
  std::vector<HANDLE> handles;
  for (const auto& [identity, process] : watched_) handles.push_back(process.get());
  handles.push_back(line);
  void* const woken = next_.wait(std::move(handles), polls ? look_again_after_ms : INFINITE);
  if (log_.explains()) log_.explain("{}", reason_for(woken));
}

std::string Watch::awaited() const {
  std::string text = fmt::format("the event of changes = {} is set, ", next_.changes());
  const char* before = "process ";
  for (const auto& [identity, process] : watched_) {
    text += std::exchange(before, " or ") + std::to_string(pid_of(identity));
  }
  return text + (watched_.empty() ? "or a request to leave comes" : " ends, or a request to leave comes");
}

std::string Watch::reason_for(HANDLE woken) const {
  for (const auto& [identity, process] : watched_) {
    if (process.get() == woken) return fmt::format("woken by the system: process {} has ended", pid_of(identity));
  }
  if (woken == nullptr) return "it is time for a look";
  if (woken == stop_request::event()) return "woken by a request to leave";
  if (woken != next_.event()) return "woken: the line before is written";
  return fmt::format("woken by another copy: the event of changes = {} is set", next_.changes());
}

}  // namespace share_data
