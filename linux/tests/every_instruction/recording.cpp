#include "recording.h"

#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "table.h"

namespace share_data::test {
namespace {

/// The segments of a key that a process is attached to, seen through its eyes: to attach to them would be
/// seen.
class SharedMemory {
 public:
  SharedMemory(pid_t pid, key_t key) : pid_(pid), name_(fmt::format("/SYSV{:08x}", static_cast<std::uint32_t>(key))) {
    find();
  }

  /// After it has attached to one or detached from one.
  void find() {
    segments_.clear();
    std::ifstream maps{fmt::format("/proc/{}/maps", pid_)};
    for (std::string line; std::getline(maps, line);) {
      if (line.find(name_) != std::string::npos) segments_.push_back({std::stoull(line, nullptr, 16), {}});
    }
    has_changed();
  }

  /// Whether anything has changed since it was asked last.
  bool has_changed() {
    bool changed = false;
    for (auto& [address, bytes] : segments_) {
      Bytes now{};
      const iovec here{.iov_base = now.data(), .iov_len = now.size()};
      const iovec there{.iov_base = reinterpret_cast<void*>(address),  // NOLINT(performance-no-int-to-ptr)
                        .iov_len = now.size()};
      if (process_vm_readv(pid_, &here, 1, &there, 1, 0) < 0) continue;
      changed |= std::memcmp(now.data(), bytes.data(), now.size()) != 0;
      bytes = now;
    }
    return changed;
  }

 private:
  using Bytes = std::array<char, sizeof(Table)>;

  pid_t pid_;
  std::string name_;
  std::vector<std::pair<Address, Bytes>> segments_;
};

/// Whether it does more than ask.
bool changes_something(const Call& call) {
  switch (call.number) {
    case SYS_shmget:
    case SYS_shmat:
    case SYS_shmdt:
    case SYS_futex:
    case SYS_write:
      return true;
    case SYS_shmctl:
      return call.second == IPC_RMID;
    default:
      return false;
  }
}

}  // namespace

Recording::Recording(Tracee& tracee, pid_t pid, key_t key, std::function<bool(const Call&)> is_end)
    : is_end_(std::move(is_end)) {
  SharedMemory memory{pid, key};
  std::set<std::pair<std::size_t, Address>> known;
  std::map<Address, int> passes;
  for (;; ++instructions_) {
    const Address address = tracee.address();
    const auto call = tracee.next_call();
    if (known.emplace(changes_.size(), address).second) points_.push_back({changes_.size(), address});
    end_ = address;
    if (call && is_end_(*call)) return;
    ++passes[address];
    if (!tracee.step()) throw std::runtime_error{"the process ended before the end of the recording"};
    if (call && (call->number == SYS_shmat || call->number == SYS_shmdt)) memory.find();
    if (call ? changes_something(*call) : memory.has_changed()) {
      changes_.push_back({address, passes[address]});
      passes.clear();
    }
  }
}

bool Recording::replay(Tracee& tracee, const Point& point) const {
  for (std::size_t i = 0; i < point.epoch; ++i) {
    if (!tracee.run_to(changes_[i].address, changes_[i].passes, end_, is_end_)) return false;
    tracee.step();
  }
  return tracee.run_to(point.address, 1, end_, is_end_);
}

}  // namespace share_data::test
