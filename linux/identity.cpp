#include "identity.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <ctime>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "failure.h"
#include "file_descriptor.h"

namespace share_data {
namespace {

constexpr std::uint32_t pid_limit = 1U << 22U;  // the kernel's PID_MAX_LIMIT on 64-bit systems

struct ProcessStat {
  std::uint32_t pid = 0;  ///< in the PID namespace of the mounted /proc
  char state = '?';
  std::uint64_t start_ticks = 0;
};

/// Picks fields 1, 3 and 22 out of a line of /proc/PID/stat. Field 2, the name, may hold spaces and parentheses,
/// so the count starts at the last parenthesis.
std::optional<ProcessStat> parse_stat(std::string_view line) {
  const auto name_end = line.rfind(')');
  if (name_end == std::string_view::npos || line.size() < name_end + 3) return std::nullopt;
  ProcessStat stat{.state = line[name_end + 2]};
  std::from_chars(line.data(), line.data() + name_end, stat.pid);
  line.remove_prefix(name_end + 2);
  for (int field = 3; field < 22; ++field) {
    const auto space = line.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    line.remove_prefix(space + 1);
  }
  const auto parsed = std::from_chars(line.data(), line.data() + line.size(), stat.start_ticks);
  if (parsed.ec != std::errc{}) return std::nullopt;
  return stat;
}

/// Empty where there is no such file; errno says why.
std::optional<ProcessStat> read_stat(const char* path) {
  const FileDescriptor file{open(path, O_RDONLY | O_CLOEXEC)};
  if (file.get() < 0) return std::nullopt;
  std::array<char, 1024> line{};
  const ssize_t size = read(file.get(), line.data(), line.size());
  if (size <= 0) return std::nullopt;
  return parse_stat({line.data(), static_cast<std::size_t>(size)});
}

std::optional<ProcessStat> read_stat(std::uint32_t pid) {
  std::array<char, 32> path{};
  *fmt::format_to(path.data(), "/proc/{}/stat", pid) = '\0';
  return read_stat(path.data());
}

bool runs_as(const ProcessStat& stat, Identity identity) {
  return stat.state != 'Z' && stat.state != 'X' && make_identity(pid_of(identity), stat.start_ticks) == identity;
}

bool is_possible(std::uint32_t pid) { return pid > 0 && pid <= pid_limit; }

/// Signal 0 is none: kill(2) only says whether the process exists.
bool exists(std::uint32_t pid) { return kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM; }

bool is_readable(int fd) {
  pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
  return poll(&entry, 1, 0) > 0;
}

std::uint32_t namespace_inode(const char* path) {
  struct stat info {};
  return stat(path, &info) == 0 ? static_cast<std::uint32_t>(info.st_ino) : 0;  // 0: older than that namespace
}

}  // namespace

Identity own_identity() {
  const auto pid = static_cast<std::uint32_t>(getpid());
  const auto stat = read_stat("/proc/self/stat");
  if (!stat) throw Failure(errno, "open /proc/self/stat", "mount /proc: it shows when a process was started");
  if (stat->pid != pid) {
    throw Failure("/proc belongs to another PID namespace",
                  "mount a /proc of this one, as `unshare --mount-proc` does");
  }
  return make_identity(pid, stat->start_ticks);
}

std::uint64_t own_namespaces() {
  // Looked up once: to enter another one takes a new process, or that this one ask for it.
  static const std::uint64_t namespaces =
      std::uint64_t{namespace_inode("/proc/self/ns/time")} << 32U | namespace_inode("/proc/self/ns/pid");
  return namespaces;
}

bool is_alive(Identity identity) {
  const std::uint32_t pid = pid_of(identity);
  if (!is_possible(pid) || !exists(pid)) return false;
  const auto stat = read_stat(pid);
  // A process that exists and is not shown (a /proc mounted with hidepid) cannot be told from the one we
  // mean.
  return stat ? runs_as(*stat, identity) : exists(pid);
}

double running_seconds(Identity identity) {
  const auto stat = read_stat(pid_of(identity));
  timespec since_boot{};
  if (!stat || clock_gettime(CLOCK_BOOTTIME, &since_boot) != 0) return 0;
  const double now = static_cast<double>(since_boot.tv_sec) + static_cast<double>(since_boot.tv_nsec) / 1e9;
  const double start = static_cast<double>(stat->start_ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
  return now > start ? now - start : 0;
}

// The order is what makes it safe (pidfd_open(2)). The descriptor keeps pointing at whatever had the pid when
// it was opened. If that process was started when ours was, and is still there afterwards, it is ours.
Pidfd open_pidfd(Identity identity) {
  const std::uint32_t pid = pid_of(identity);
  if (!is_possible(pid)) return {.dead = true};
  FileDescriptor pidfd{static_cast<int>(syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0U))};
  if (pidfd.get() < 0) {
    const int error = errno;
    return is_alive(identity) ? Pidfd{.error = error} : Pidfd{.dead = true};
  }
  const auto stat = read_stat(pid);
  if ((stat && !runs_as(*stat, identity)) || is_readable(pidfd.get())) return {.dead = true};
  return {.fd = pidfd.release()};
}

}  // namespace share_data
