#include "recording.h"

#include <sys/syscall.h>
#include <sys/uio.h>

#include <algorithm>
#include <set>
#include <stdexcept>

#include "kernel_view.h"

namespace share_data::test {
namespace {

/// The segments that a process is attached to, seen through its eyes: to attach to them would be seen.
class SharedMemory {
 public:
  explicit SharedMemory(pid_t pid) : pid_(pid) { find(); }

  /// After it has attached to one or detached from one.
  void find() {
    segments_.clear();
    for (const auto& [address, id] : attachments_of(pid_)) segments_[address] = {};
    has_changed();
  }

  /// Whether anything has changed since it was asked last.
  bool has_changed() {
    bool changed = false;
    for (auto& [address, bytes] : segments_) {
      Bytes now{};
      const iovec here{.iov_base = now.data(), .iov_len = now.size()};
      const iovec there{.iov_base = reinterpret_cast<void*>(address), .iov_len = now.size()};
      if (process_vm_readv(pid_, &here, 1, &there, 1, 0) < 0) continue;
      changed |= now != bytes;
      bytes = now;
    }
    return changed;
  }

 private:
  using Bytes = std::array<char, sizeof(Table)>;

  pid_t pid_;
  std::map<Address, Bytes> segments_;
};

/// Whether it does more than ask.
bool changes_something(const Call& call) {
  constexpr std::array numbers{SYS_shmget, SYS_shmat, SYS_shmdt, SYS_futex, SYS_write};
  return std::ranges::count(numbers, call.number) > 0 || (call.number == SYS_shmctl && call.second == IPC_RMID);
}

}  // namespace

Recording::Recording(Tracee& tracee, pid_t pid, long last_call) : last_call_(last_call) {
  SharedMemory memory{pid};
  std::set<std::pair<std::size_t, Address>> known;
  std::map<Address, int> passes;
  for (;;) {
    const Address address = tracee.address();
    const auto call = tracee.next_call();
    if (known.emplace(changes_.size(), address).second) points_.push_back({changes_.size(), address});
    end_ = address;
    if (call && call->number == last_call) return;
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
    if (!tracee.run_to(changes_[i].address, changes_[i].passes, end_, last_call_)) return false;
    tracee.step();
  }
  return tracee.run_to(point.address, 1, end_, last_call_);
}

}  // namespace share_data::test
