#include "garbage.h"

#include <sys/shm.h>

#include <algorithm>
#include <functional>
#include <random>
#include <span>

#include <fmt/format.h>

#include "kernel_view.h"
#include "member.h"

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

std::span<std::byte> bytes_of(Table& table) { return {reinterpret_cast<std::byte*>(&table), sizeof table}; }

}  // namespace

Identity Garbage::new_bystander() {
  bystanders_.push_back(std::make_unique<Bystander>());
  return bystanders_.back()->identity();
}

std::string Garbage::write(std::uint32_t number, const std::vector<Identity>& copies) {
  const int id = shmget(key_, 0, 0);
  std::string what;
  with_table(id, [&](Table& table) {
    if (magic_ == 0) magic_ = table.magic;
    if (table.magic != magic_ || magic_ == 0) return;  // nobody's yet
    const Identity copy = copies.empty() ? identity_of_the_dead() : copies[number / 32 % copies.size()];
    what = write_something(table, number, copy);
    if (number / 16 % 2 == 0) table.announce();
  });
  if (!what.empty()) segments_.push_back(id);
  return what;
}

std::string Garbage::write_something(Table& table, std::uint32_t number, Identity copy) {
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
      std::ranges::generate(bytes_of(table), [&] { return static_cast<std::byte>(random()); });
      return "random bytes all over";
    case 1:
      std::ranges::fill(bytes_of(table), std::byte{0});
      return "zeros all over";
    case 2:
      std::ranges::fill(bytes_of(table), std::byte{0xff});
      return "ones all over";
    default:
      table.magic = random();
      table.key = random();
      return "another magic and key";
  }
}

std::string Garbage::write_slots(Table& table, std::uint32_t number, Identity copy) {
  std::mt19937_64 random{number};
  std::atomic<Slot>& somewhere = table.slots[random() % (number % 2 == 0 ? slot_count : 64)];
  switch (random() % 6) {
    case 0:
      std::ranges::generate(table.slots, [&] { return random(); });
      return "random words in all slots";
    case 1:
      std::ranges::fill(table.slots, free_slot);
      return "all slots free";
    case 2:
      somewhere = random();
      return "a random word in a slot";
    case 3:
      somewhere = slot_of(copy);
      return fmt::format("{} in one more slot", pid_of(copy));
    case 4:
      somewhere = slot_of(new_bystander());
      return "a bystander in a slot";
    default:
      table.bury(copy);
      return fmt::format("a tombstone for {}", pid_of(copy));
  }
}

std::string Garbage::write_head(Table& table, std::uint32_t number, Identity copy) {
  std::mt19937 random{number};
  switch (random() % 6) {
    case 0:
      table.retiring = slot_of(new_bystander());
      return "a bystander is removing the segment";
    case 1:
      table.admitting = slot_of(new_bystander());
      return "a bystander is being admitted";
    case 2:
      table.mourned = slot_of(copy);
      return fmt::format("{} is mourned", pid_of(copy));
    case 3:
      table.used = static_cast<std::uint32_t>(random() % 16);
      return "few slots in use";
    case 4:
      table.changes = static_cast<std::uint32_t>(random());
      return "another number of changes";
    default:
      table.plain = static_cast<std::int32_t>(random());
      table.retiring = random();
      table.admitting = random();
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
      table.namespaces = own_namespaces();
      table.key = static_cast<std::uint32_t>(key_);
    });
  }
}

void Garbage::uncover() const {
  for (const int id : segments_) with_table(id, [](Table& table) { table.distrust_used(); });
}

void Garbage::wake_all() const {
  for (const int id : segments_) with_table(id, [](Table& table) { table.announce(); });
}

}  // namespace share_data::test
