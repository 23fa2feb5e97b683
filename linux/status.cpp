#include "status.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "segment.h"

namespace share_data {
namespace {

struct Instance {
  Identity identity;
  double seconds;
};

struct Status {
  std::int32_t plain = 0;
  std::vector<Instance> instances;  // the longest running first
};

/// Reads the slots until two looks agree, so that who moves from one slot to another is not seen twice or
/// never. Where the copies come and go faster than that, the last look is as good as any.
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

Status read_status(key_t key) {
  // Copies whose segment has been removed under them still run; they are in it until they notice.
  std::vector<Segment> segments = Segment::open_removed(key, Access::read_only);
  if (auto current = Segment::open_existing(key)) segments.insert(segments.begin(), std::move(*current));
  Status status;
  if (!segments.empty()) status.plain = segments.front().table().plain;
  for (const Segment& segment : segments) {
    for (const Slot slot : look_calmly(segment.table())) {
      const Identity identity{slot};
      const bool known =
          std::ranges::find(status.instances, identity, &Instance::identity) != status.instances.end();
      if (is_occupied(slot) && !known && is_alive(identity)) {
        status.instances.push_back({identity, running_seconds(identity)});
      }
    }
  }
  std::ranges::sort(status.instances, std::greater{}, &Instance::seconds);
  return status;
}

std::string as_json(const Status& status) {
  std::vector<std::string> instances;
  for (const auto& [identity, seconds] : status.instances) {
    instances.push_back(fmt::format(R"({{"pid":{},"seconds":{:.2f}}})", pid_of(identity), seconds));
  }
  return fmt::format("{{\"live\":{},\"plain\":{},\"instances\":[{}]}}\n", instances.size(), status.plain,
                     fmt::join(instances, ","));
}

std::string as_text(const Status& status) {
  std::string text = fmt::format("{} live\n", status.instances.size());
  if (!status.instances.empty()) text += fmt::format("{:>9}  {:>12}\n", "PID", "RUNNING");
  for (const auto& [identity, seconds] : status.instances) {
    const auto whole = static_cast<std::uint64_t>(seconds);
    const auto running = fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
    text += fmt::format("{:>9}  {:>12}\n", pid_of(identity), running);
  }
  return text;
}

}  // namespace

std::error_code print_status(key_t key, const Log& log) {
  const Status status = read_status(key);
  return log.result(log.json() ? as_json(status) : as_text(status));
}

}  // namespace share_data
