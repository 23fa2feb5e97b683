#include "garbage.h"

#include <sys/shm.h>

#include <algorithm>
#include <functional>
#include <random>
#include <span>

#include <fmt/format.h>

#include "member.h"
#include "wait.h"

namespace share_data::test {
namespace {

/// Attached for as long as `visit` takes, so that hardly anybody counts us among the attached.
bool with_table(int id, const std::function<void(Table&)>& visit) {
  void* const address = shmat(id, nullptr, 0);
  // NOLINTNEXTLINE(performance-no-int-to-ptr): shmat(2) returns (void *) -1 on error
  if (address == reinterpret_cast<void*>(-1)) return false;
  visit(*static_cast<Table*>(address));
  shmdt(address);
  return true;
}

template <typename Object>
std::span<std::uint8_t> bytes_of(Object& object) {
  return {reinterpret_cast<std::uint8_t*>(&object), sizeof object};
}

void tell_all(Table& table) {
  ++table.changes;
  futex_wake_all(table.changes);
}

Word pid_of_the_dead() { return static_cast<Word>(Bystander{}.pid()); }

}  // namespace

Word Garbage::new_bystander() {
  bystanders_.push_back(std::make_unique<Bystander>());
  return static_cast<Word>(bystanders_.back()->pid());
}

std::string Garbage::write(std::uint32_t number, const std::vector<pid_t>& copies) {
  const int id = shmget(key_, 0, 0);
  std::string what;
  with_table(id, [&](Table& table) {
    if (magic_ == 0) magic_ = table.magic;
    if (table.magic != magic_ || magic_ == 0) return;  // nobody's yet
    const Word copy = copies.empty() ? pid_of_the_dead() : static_cast<Word>(copies[number / 32 % copies.size()]);
    what = write_something(table, number, copy);
    if (number / 16 % 2 == 0) tell_all(table);
  });
  if (!what.empty()) segments_.push_back(id);
  return what;
}

std::string Garbage::write_something(Table& table, std::uint32_t number, Word copy) {
  switch (number % 4) {
    case 0:
      return write_header_too(table, number / 4);
    case 1:
      return write_head(table, number / 4, copy);
    default:
      return write_slots(table, number / 4, copy);
  }
}

/// Whatever makes the segment look like somebody else's.
std::string Garbage::write_header_too(Table& table, std::uint32_t number) {
  std::mt19937 random{number};
  hid_the_segment_ = true;
  switch (number % 4) {
    case 0:
      std::ranges::generate(bytes_of(table), std::ref(random));
      return "random bytes all over";
    case 1:
      std::ranges::fill(bytes_of(table), 0);
      return "zeros all over";
    case 2:
      std::ranges::fill(bytes_of(table), 0xff);
      return "ones all over";
    default:
      table.magic = random();
      table.key = static_cast<std::uint32_t>(random());
      return "another magic and key";
  }
}

std::string Garbage::write_slots(Table& table, std::uint32_t number, Word copy) {
  std::mt19937 random{number};
  Slot& somewhere = table.slots[random() % (number % 2 == 0 ? slot_count : 64)];
  const auto own = std::ranges::find(table.slots, copy, [](const Slot& slot) { return tid_of(slot.owner); });
  Slot& slot = own == table.slots.end() ? somewhere : *own;
  switch (random() % 9) {
    case 0:
      for (Slot& each : table.slots) each.owner = static_cast<Word>(random());
      return "random owners of all slots";
    case 1:
      for (Slot& each : table.slots) each.owner = 0;
      return "all slots free";
    case 2:
      slot.leaving = copy;
      return fmt::format("{} seems to leave", copy);
    case 3:
      for (Slot& each : table.slots) std::ranges::generate(bytes_of(each.alarms), std::ref(random));
      return "random alarms";
    case 4:
      somewhere.owner = static_cast<Word>(random());
      return "a random owner of a slot";
    case 5:
      somewhere.owner = running_word(copy);
      return fmt::format("{} in one more slot", copy);
    case 6:
      somewhere.owner = running_word(new_bystander());
      return "a bystander in a slot";
    case 7:
      slot.owner = gone_word;
      return fmt::format("{} seems to be gone", copy);
    default:
      slot.owner = joined_word(copy);
      return fmt::format("{} seems to have just joined", copy);
  }
}

std::string Garbage::write_head(Table& table, std::uint32_t number, Word copy) {
  std::mt19937 random{number};
  switch (random() % 6) {
    case 0:
      table.admitting = new_bystander();
      return "a bystander is being admitted";
    case 1:
      table.admitting = copy;
      return fmt::format("{} is being admitted", copy);
    case 2:
      table.used = static_cast<std::uint32_t>(random() % 16);
      return "few slots in use";
    case 3:
      table.changes = static_cast<std::uint32_t>(random());
      return "another number of changes";
    case 4:
      table.gathered = static_cast<std::uint32_t>(random() % 2);
      return "nobody, or everybody, was gathered";
    default:
      table.plain = static_cast<std::int32_t>(random());
      table.admitting = static_cast<Word>(random());
      return "random words in the head";
  }
}

void Garbage::repair() {
  for (const auto& bystander : bystanders_) {
    if (!bystander->is_unharmed()) throw Wrong("a process that has nothing to do with it got a signal");
  }
  bystanders_.clear();
  if (!hid_the_segment_) return;
  hid_the_segment_ = false;
  for (const int id : segments_) {
    with_table(id, [&](Table& table) {
      table.magic = magic_;
      table.key = static_cast<std::uint32_t>(key_);
    });
  }
}

void Garbage::uncover() const {
  for (const int id : segments_) with_table(id, [](Table& table) { table.used = slot_count; });
}

bool Garbage::is_gone(std::size_t copies) const {
  bool gone = true;
  with_table(shmget(key_, 0, 0), [&](Table& table) {
    const auto taken = std::ranges::count_if(
        table.slots, [](const Slot& slot) { return slot.owner != 0 && slot.leaving != tid_of(slot.owner); });
    gone = static_cast<std::size_t>(taken) == copies;
  });
  return gone;
}

void Garbage::wake_all() const {
  for (const int id : segments_) with_table(id, tell_all);
}

}  // namespace share_data::test
