// System calls with their errors and file descriptors.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace share_data::test {

/// The result of a system call. Throws std::system_error if it is -1.
template <typename Result>
Result check(Result result, const char* call) {
  if (result == Result{-1}) throw std::system_error(errno, std::system_category(), call);
  return result;
}

/// Owns a file descriptor.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd = -1) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileDescriptor() {
    if (fd_ >= 0) close(fd_);
  }

  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

[[nodiscard]] inline FileDescriptor open_process(pid_t pid) {
  return FileDescriptor{static_cast<int>(syscall(SYS_pidfd_open, pid, 0))};
}

}  // namespace share_data::test
