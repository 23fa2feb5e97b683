#include "resources.h"

#include <fmt/format.h>
#include <sys/ipc.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace share_data::bench {
namespace {

/// The number after `name` in a file of lines like `name:  123 kB`.
std::uint64_t field(const std::filesystem::path& file, const std::string& name) {
  std::ifstream in{file};
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(name + ":")) return std::stoull(line.substr(name.size() + 1));
  }
  throw std::runtime_error(fmt::format("no {} in {}", name, file.string()));
}

}  // namespace

OwnKey::OwnKey() {
  // A pid has 22 bits at most, so these stay clear of share_data's default keys and of other harnesses.
  static std::uint32_t count = 0;
  key_ = static_cast<key_t>(0x6000'0000U | static_cast<std::uint32_t>(getpid()) << 6U | (count++ % 64));
}

OwnKey::~OwnKey() {
  const int id = shmget(key_, 0, 0);
  if (id >= 0) shmctl(id, IPC_RMID, nullptr);
}

std::string OwnKey::text() const { return fmt::format("{:#x}", static_cast<std::uint32_t>(key_)); }

OwnSegment::OwnSegment(std::size_t size) : address_(nullptr) {
  const int id = shmget(key_.value(), size, IPC_CREAT | IPC_EXCL | 0600);
  address_ = shmat(id, nullptr, 0);
  if (address_ == reinterpret_cast<void*>(-1)) throw std::system_error(errno, std::generic_category(), "shmget, shmat");
}

OwnSegment::~OwnSegment() { shmdt(address_); }

void raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit raised{.rlim_cur = 65536, .rlim_max = std::max<rlim_t>(limit.rlim_max, 65536)};
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return;  // takes a privilege
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

Usage usage_of(const std::vector<pid_t>& processes) {
  Usage usage;
  for (const pid_t process : processes) {
    for (const auto& thread : std::filesystem::directory_iterator{fmt::format("/proc/{}/task", process)}) {
      usage.wake_ups += field(thread.path() / "status", "voluntary_ctxt_switches");
      std::chrono::nanoseconds::rep on_cpu = 0;
      std::ifstream{thread.path() / "schedstat"} >> on_cpu;
      usage.cpu_time += std::chrono::nanoseconds{on_cpu};
    }
  }
  return usage;
}

std::uint64_t private_kib(pid_t process) {
  const std::filesystem::path file{fmt::format("/proc/{}/smaps_rollup", process)};
  return field(file, "Private_Clean") + field(file, "Private_Dirty");
}

std::string describe_machine() {
  utsname system{};
  uname(&system);
  const std::string_view release{system.release};
  const auto version = release.substr(0, release.find('.', release.find('.') + 1));
  return fmt::format("{} cores, Linux {}", sysconf(_SC_NPROCESSORS_ONLN), version);
}

}  // namespace share_data::bench
