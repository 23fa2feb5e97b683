#include "vandal.h"

#include <sys/shm.h>

#include <algorithm>

#include "crowd.h"
#include "garbage.h"

namespace share_data::test {
namespace {

constexpr std::uint64_t magic = 0x3354'4144'5248'5303;

/// Attached for as long as `visit` takes, so that hardly anybody counts us among the attached.
template <typename Visit>
void with_table(int id, Visit visit) {
  void* const address = shmat(id, nullptr, 0);
  if (address == reinterpret_cast<void*>(-1)) return;
  visit(*static_cast<Table*>(address));
  shmdt(address);
}

void tell_all(Table& table) { table.notify(Log{{}, 0}); }

}  // namespace

std::string Vandal::write(std::uint32_t number, const std::vector<pid_t>& copies) {
  const int id = shmget(key_, 0, 0);
  std::string what;
  with_table(id, [&](Table& table) {
    if (table.magic != magic) return;  // nobody's yet
    const GarbageKind& kind = garbage_kinds.at(number % garbage_kinds.size());
    bystanders_.emplace_back();
    Words words{.random = std::mt19937{number},
                .copy = copies.empty() ? tid_of_the_dead() : static_cast<Word>(copies[number / 32 % copies.size()]),
                .bystander = bystanders_.back().tid()};
    kind.write(table, words);
    if (number / 1024 % 2 == 0) tell_all(table);
    what = kind.what;
    hid_the_segment_ |= kind.hides;
    segments_.insert(id);
  });
  return what;
}

void Vandal::repair() {
  if (!std::ranges::all_of(bystanders_, &Bystander::is_unharmed)) {
    throw Wrong("a process that has nothing to do with it got a signal");
  }
  bystanders_.clear();
  hid_the_segment_ = false;
  for (const int id : segments_) {
    with_table(id, [&](Table& table) {
      table.magic = magic;
      table.key = static_cast<std::uint32_t>(key_);
      table.used = slot_count;
    });
  }
}

bool Vandal::is_marked(std::size_t copies) const {
  bool gone = true;
  with_table(shmget(key_, 0, 0), [&](Table& table) {
    const auto is_taken = [](const Slot& slot) { return slot.owner != 0 && slot.leaver != tid_of(slot.owner); };
    gone = static_cast<std::size_t>(std::ranges::count_if(table.slots, is_taken)) == copies;
  });
  return gone;
}

void Vandal::wake_all() const {
  for (const int id : segments_) with_table(id, tell_all);
}

}  // namespace share_data::test
