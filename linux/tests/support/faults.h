// System calls that fail or take their time, on order.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace share_data::test {

/// For Launch::before_exec: from then on the system call fails, as in a sandbox or on an old kernel (seccomp(2)). With
/// `value`, it fails if this argument has this value.
inline std::function<void()> refuse(long call, int error, unsigned argument = 0,
                                    std::optional<std::uint32_t> value = {}) {
  const auto load = [](std::size_t offset) {
    return sock_filter(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)));
  };
  const auto skip_unless = [](std::uint32_t expected, std::uint8_t count) {
    return sock_filter(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, expected, 0, count));
  };
  std::vector<sock_filter> filter{
      load(offsetof(seccomp_data, nr)),
      skip_unless(static_cast<std::uint32_t>(call), value ? 3 : 1),
  };
  if (value) {
    filter.push_back(load(offsetof(seccomp_data, args) + 8 * argument));
    filter.push_back(skip_unless(*value, 1));
  }
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error)));
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  return [filter]() mutable {
    const sock_fprog program{.len = static_cast<std::uint16_t>(filter.size()), .filter = filter.data()};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
  };
}

/// For Launch::through: runs the program under strace(1) with `-e inject=INJECTION`. The tracer is a grandchild, so
/// that the child is the program itself. The leak checker of AddressSanitizer cannot work in a process that is traced.
inline std::vector<std::string> strace(const std::string& injection) {
  return {"env", "ASAN_OPTIONS=detect_leaks=0", "strace", "-D", "-f", "-qq", "-o", "/dev/null",
          "-e",  "inject=" + injection};
}

inline bool has_strace() {
  static const bool has = std::system("strace -V >/dev/null 2>&1") == 0;  // NOLINT(cert-env33-c,concurrency-mt-unsafe)
  return has;
}

}  // namespace share_data::test
