#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

namespace share_data::test {

/// Owns a file descriptor.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd = -1) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
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
