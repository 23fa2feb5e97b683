#include "status.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "identity.h"

namespace share_data {
namespace {

using std::chrono::system_clock;

/// Reads the slots until two looks agree. Where the copies come and go faster than that, the last look is as
/// good as any.
Slots look_calmly(const Table& table) {
  constexpr int looks = 100;
  Slots slots = table.look();
  for (int look = 0; look < looks; ++look) {
    Slots again = table.look();
    if (again == slots) break;
    slots = std::move(again);
  }
  return slots;
}

/// The longest running first.
std::vector<Instance> instances_in(const Table& table) {
  Slots live = look_calmly(table);
  std::erase_if(live, [](Slot slot) { return !is_live(slot) || !is_alive(identity_of(slot)); });
  std::ranges::sort(live);
  live.erase(std::unique(live.begin(), live.end()), live.end());
  std::vector<Instance> instances;
  for (const Slot slot : live) {
    std::optional<double> seconds;
    if (const auto started = start_of(identity_of(slot))) {
      seconds = std::max(0.0, std::chrono::duration<double>(system_clock::now() - *started).count());
    }
    instances.push_back({.pid = pid_of(identity_of(slot)), .seconds = seconds});
  }
  std::ranges::stable_sort(instances, std::greater{}, &Instance::seconds);
  return instances;
}

}  // namespace

void print_status(const Table* table, const Log& log) {
  const std::error_code error = table == nullptr ? log.status({}, 0) : log.status(instances_in(*table), table->plain);
  if (error) throw std::system_error(error, "standard output");
}

}  // namespace share_data
