#include "status.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "identity.h"

namespace share_data {
namespace {

using std::chrono::system_clock;

struct Instance {
  std::uint32_t pid;
  std::optional<system_clock::time_point> started;  ///< empty where the system does not tell
};

struct Status {
  std::int32_t plain = 0;
  std::vector<Instance> instances = {};  // the longest running first
};

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

Status read_status(const Table& table) {
  Status status{.plain = table.plain};
  Slots live = look_calmly(table);
  std::erase_if(live, [](Slot slot) { return !is_live(slot) || !is_alive(identity_of(slot)); });
  std::ranges::sort(live);
  live.erase(std::unique(live.begin(), live.end()), live.end());
  for (const Slot slot : live) {
    status.instances.push_back({.pid = pid_of(identity_of(slot)), .started = start_of(identity_of(slot))});
  }
  std::ranges::stable_sort(status.instances, {}, &Instance::started);
  return status;
}

double seconds_since(system_clock::time_point start) {
  return std::max(0.0, std::chrono::duration<double>(system_clock::now() - start).count());
}

std::string as_json(const Instance& instance) {
  const std::string seconds = instance.started ? fmt::format("{:.2f}", seconds_since(*instance.started)) : "null";
  return fmt::format(R"({{"pid":{},"seconds":{}}})", instance.pid, seconds);
}

std::string as_json(const Status& status) {
  std::vector<std::string> instances;
  instances.reserve(status.instances.size());
  for (const Instance& instance : status.instances) instances.push_back(as_json(instance));
  return fmt::format("{{\"live\":{},\"plain\":{},\"instances\":[{}]}}\n", instances.size(), status.plain,
                     fmt::join(instances, ","));
}

std::string running_time(const Instance& instance) {
  if (!instance.started) return "?";
  const auto whole = static_cast<std::uint64_t>(seconds_since(*instance.started));
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string as_text(const Status& status) {
  std::string text = fmt::format("{} live\n", status.instances.size());
  if (!status.instances.empty()) text += fmt::format("{:>9}  {:>12}\n", "PID", "RUNNING");
  for (const Instance& instance : status.instances) {
    text += fmt::format("{:>9}  {:>12}\n", instance.pid, running_time(instance));
  }
  return text;
}

}  // namespace

void print_status(const Table* table, const Log& log) {
  const Status status = table == nullptr ? Status{} : read_status(*table);
  if (const auto error = log.result(log.json() ? as_json(status) : as_text(status))) {
    throw std::system_error(error, "standard output");
  }
}

}  // namespace share_data
