// What a process does between two moments, and where in it there is a difference to be killed.
#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <vector>

#include "tracee.h"

namespace share_data::test {

/// The segments that a process is attached to, seen through its eyes: to attach to them would be seen.
class SharedMemory {
 public:
  explicit SharedMemory(pid_t pid) : pid_(pid) { find(); }

  /// After it has attached to one or detached from one.
  void find() {
    segments_.clear();
    std::ifstream maps{fmt::format("/proc/{}/maps", pid_)};
    for (std::string line; std::getline(maps, line);) {
      if (line.find(" /SYSV") != std::string::npos) segments_[std::stoull(line, nullptr, 16)] = {};
    }
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

/// An instruction, before it is run.
struct Point {
  std::size_t epoch = 0;  ///< how many changes that others can see came before it
  Address address = 0;
};

/// All that a process did, one instruction after the other.
///
/// A process that is killed takes with it all that nobody else can see. So what it leaves behind depends only on
/// the epoch: on how many of its instructions had changed shared memory, and how many of its system calls did more
/// than ask. For each instruction there is one point for each epoch that it was run in; that leaves out rounds of
/// loops that look the same to everybody else.
class Recording {
 public:
  /// Steps on from the instruction that it is about to run, to the system call `last_call`.
  Recording(Tracee& tracee, pid_t pid, long last_call) : last_call_(last_call) {
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

  /// Has another process do the same again up to `point`. False if this one took another way, and came to the
  /// end without it.
  bool replay(Tracee& tracee, const Point& point) const {
    for (std::size_t i = 0; i < point.epoch; ++i) {
      if (!tracee.run_to(changes_[i].address, changes_[i].passes, end_, last_call_)) return false;
      tracee.step();
    }
    return tracee.run_to(point.address, 1, end_, last_call_);
  }

  [[nodiscard]] const std::vector<Point>& points() const { return points_; }

 private:
  struct Change {
    Address address;
    int passes;  ///< how many times the instruction was run in this epoch until it changed something
  };

  /// Whether it does more than ask.
  static bool changes_something(const Call& call) {
    constexpr std::array numbers{SYS_shmget, SYS_shmat, SYS_shmdt, SYS_futex, SYS_write};
    return std::ranges::count(numbers, call.number) > 0 || (call.number == SYS_shmctl && call.second == IPC_RMID);
  }

  std::vector<Point> points_;
  std::vector<Change> changes_;
  Address end_ = 0;
  long last_call_;
};

}  // namespace share_data::test
