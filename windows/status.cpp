#include "status.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "identity.h"

namespace share_data {
namespace {

using std::chrono::system_clock;

/// The longest running first.
std::vector<Instance> instances_in(const Table& table) {
  std::vector<Identity> live;
  for (const Entry& entry : table.look().entries) {
    if (is_counted(entry.word) && is_alive(identity_of(entry.word))) live.push_back(identity_of(entry.word));
  }
  std::ranges::sort(live);
  live.erase(std::unique(live.begin(), live.end()), live.end());
  std::vector<Instance> instances;
  for (const Identity identity : live) {
    std::optional<double> seconds;
    if (const auto started = start_of(identity)) {
      seconds = std::max(0.0, std::chrono::duration<double>(system_clock::now() - *started).count());
    }
    instances.push_back({.pid = pid_of(identity), .seconds = seconds});
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
