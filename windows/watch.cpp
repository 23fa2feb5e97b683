#include "watch.h"

#include <algorithm>
#include <utility>

#include "failure.h"
#include "stop_request.h"

namespace share_data {
namespace {

/// The nearest copies in the slots below `self`, around the ring, at most `reach`: those that are live, and
/// those whose end is not known to everybody.
std::vector<Slot> predecessors(const Slots& slots, Identity self) {
  std::vector<Slot> found;
  const auto own = static_cast<std::size_t>(std::ranges::find(slots, slot_of(self)) - slots.begin());
  for (std::size_t distance = 1; distance < slots.size() && found.size() < Watch::reach; ++distance) {
    const Slot slot = slots[(own + slots.size() - distance) % slots.size()];
    if (!is_available(slot) && identity_of(slot) != self) found.push_back(slot);
  }
  return found;
}

bool is_dead(HANDLE process) { return WaitForSingleObject(process, 0) == WAIT_OBJECT_0; }

}  // namespace

Watch::Findings Watch::follow(const Slots& slots, Identity self) {
  Findings findings;
  std::vector<Watched> before = std::exchange(watched_, {});
  for (const Slot slot : predecessors(slots, self)) {
    const Identity identity = identity_of(slot);
    const auto known = std::ranges::find(before, identity, &Watched::identity);
    OpenedProcess process;
    if (known != before.end()) {
      process.dead = is_dead(known->process.get());
      process.handle = std::move(known->process);
    } else if (mark_of(slot) != Mark::dying) {
      process = open_process(identity);
    }
    if (process.dead || mark_of(slot) == Mark::dying) {
      findings.dead.push_back(identity);
    } else if (process.handle) {  // else it is alive, and we may not watch it
      watched_.push_back({identity, std::move(process.handle)});
    }
  }
  for (const auto& [identity, process] : before) {
    if (process && !is_dead(process.get()) && std::ranges::find(slots, identity, identity_of) == slots.end()) {
      findings.stray.push_back(identity);
    }
  }
  return findings;
}

bool Watch::wait() const {
  std::vector<HANDLE> handles{StopRequest::event(), bell_};
  for (const Watched& watched : watched_) handles.push_back(watched.process.get());
  const DWORD patience = bell_works_ ? INFINITE : static_cast<DWORD>(look_interval.count());
  const DWORD woken = WaitForMultipleObjects(static_cast<DWORD>(handles.size()), handles.data(), FALSE, patience);
  if (woken == WAIT_FAILED) throw Failure(GetLastError(), "WaitForMultipleObjects");
  return !StopRequest::made();
}

}  // namespace share_data
