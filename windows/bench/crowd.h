// Processes that the harness starts, and what they write.
#pragma once

#include <windows.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "win32.h"

namespace share_data::bench {

using Clock = std::chrono::steady_clock;

/// One process, with its standard output in a pipe that a thread of the harness reads. It outlives neither this object
/// nor the harness.
class Process {
 public:
  explicit Process(std::wstring command_line);
  ~Process();

  /// Returns at once.
  void terminate() const { TerminateProcess(process_.get(), 1); }

  [[nodiscard]] DWORD pid() const { return pid_; }
  [[nodiscard]] DWORD main_thread() const { return main_thread_; }

  /// Waits until the last line says that `live` are live, and returns when it was read. Throws if that takes too long.
  [[nodiscard]] Clock::time_point wait_for(std::uint32_t live) const;

 private:
  void create(std::wstring command_line, HANDLE output);
  void read();

  Handle output_;
  Handle process_;
  DWORD pid_ = 0;
  DWORD main_thread_ = 0;
  std::atomic<std::uint32_t> shown_{0};  ///< the count in the last line; 0 before the first one
  std::atomic<Clock::time_point> read_at_{};
  std::thread reader_;
};

/// Several of them.
class Crowd {
 public:
  Crowd() = default;
  ~Crowd() {
    for (const auto& process : processes_) process->terminate();
  }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  void start(const std::wstring& command_line) { processes_.push_back(std::make_unique<Process>(command_line)); }

  /// The same for all of them, until the last line was read.
  Clock::time_point wait_for(std::uint32_t live) const;

  [[nodiscard]] const std::vector<std::unique_ptr<Process>>& processes() const { return processes_; }

 private:
  std::vector<std::unique_ptr<Process>> processes_;
};

}  // namespace share_data::bench
