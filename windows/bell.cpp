#include "bell.h"

#include <windows.h>

#include <sddl.h>

#include <fmt/format.h>
#include <fmt/xchar.h>

#include <algorithm>
#include <memory>

#include "failure.h"

namespace share_data {
namespace {

struct LocalFreed {
  void operator()(void* memory) const { LocalFree(memory); }
};

/// Everybody may ring (EVENT_MODIFY_STATE is 2), as everybody who can run the .exe shares the section, be it
/// as another user or as administrator. Nobody else may wait: a wait would swallow the ring.
constexpr auto anybody_may_ring = L"D:(A;;0x2;;;WD)";

}  // namespace

Bell::Bell(Identity owner) {
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  ConvertStringSecurityDescriptorToSecurityDescriptorW(anybody_may_ring, SDDL_REVISION_1, &descriptor, nullptr);
  const std::unique_ptr<void, LocalFreed> guard{descriptor};
  SECURITY_ATTRIBUTES attributes{sizeof(attributes), descriptor, FALSE};
  SetLastError(ERROR_SUCCESS);
  event_ = Handle{CreateEventW(&attributes, FALSE, FALSE, bell_name(owner).c_str())};
  error_ = GetLastError();
  if (error_ == ERROR_SUCCESS) return;
  // An event that was there before may be of any kind, one that stays rung for ever included. So an event of
  // our own stands in for it, and since nobody can ring that one, the table has to be looked at from time to
  // time.
  event_ = Handle{CreateEventW(nullptr, FALSE, FALSE, nullptr)};
  if (!event_) throw Failure(GetLastError(), "CreateEvent");
}

// `Global\` reaches the copies in all sessions, and so does the section. Unlike a mapping, an event can be
// made there by everybody (https://learn.microsoft.com/windows/win32/termserv/kernel-object-namespaces).
std::wstring bell_name(Identity owner) {
  return fmt::format(L"Global\\share_data-bell-{:016x}", static_cast<std::uint64_t>(owner));
}

void ring(Identity owner) {
  const Handle bell{OpenEventW(EVENT_MODIFY_STATE, FALSE, bell_name(owner).c_str())};
  if (bell) SetEvent(bell.get());
}

void ring_all(const Table& table, Identity self) {
  Slots slots = table.look();
  const auto own = std::ranges::find(slots, self, identity_of);
  std::rotate(slots.begin(), own, slots.end());
  for (const Slot slot : slots) {
    if (is_live(slot) && identity_of(slot) != self) ring(identity_of(slot));
  }
}

void ring_strays() { std::ranges::for_each(running_processes(), ring); }

}  // namespace share_data
