// What the harness holds and what it measures besides time.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace share_data::bench {

/// A key that nobody else uses. Its segment, if there is one, is removed with this object; declare it before
/// the processes that use it, so that they are gone by then.
class OwnKey {
 public:
  OwnKey();
  ~OwnKey();
  OwnKey(const OwnKey&) = delete;
  OwnKey& operator=(const OwnKey&) = delete;
  OwnKey(OwnKey&&) = delete;
  OwnKey& operator=(OwnKey&&) = delete;

  [[nodiscard]] key_t value() const { return key_; }
  [[nodiscard]] std::string text() const;

 private:
  key_t key_;
};

/// A segment of the harness's own, attached: what its opponents share.
class OwnSegment {
 public:
  explicit OwnSegment(std::size_t size);
  ~OwnSegment();
  OwnSegment(const OwnSegment&) = delete;
  OwnSegment& operator=(const OwnSegment&) = delete;
  OwnSegment(OwnSegment&&) = delete;
  OwnSegment& operator=(OwnSegment&&) = delete;

  [[nodiscard]] const OwnKey& key() const { return key_; }
  [[nodiscard]] void* address() const { return address_; }

 private:
  OwnKey key_;
  void* address_;
};

/// As many descriptors as the system gives: every process takes one of the harness's.
void raise_descriptor_limit();

/// What processes have used since they were started, all their threads together.
struct Usage {
  std::uint64_t wake_ups = 0;            ///< voluntary context switches (proc_pid_status(5))
  std::chrono::nanoseconds cpu_time{0};  ///< time on a CPU (Documentation/scheduler/sched-stats.rst)
};

[[nodiscard]] Usage usage_of(const std::vector<pid_t>& processes);

/// KiB of memory that no other process shares: Private_Clean + Private_Dirty (proc_pid_smaps(5)).
[[nodiscard]] std::uint64_t private_kib(pid_t process);

/// `2 cores, Linux 6.1`
[[nodiscard]] std::string describe_machine();

}  // namespace share_data::bench
