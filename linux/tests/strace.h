// System calls that fail or kill, on order.
#pragma once

#include <cstdlib>
#include <string>
#include <vector>

namespace share_data::test {

/// Runs the program under strace(1) with `-e inject=INJECTION`. The tracer is a grandchild, so that the child is the
/// program itself. The leak checker of AddressSanitizer cannot work in a process that is traced.
inline std::vector<std::string> strace(const std::string& injection) {
  return {"env", "ASAN_OPTIONS=detect_leaks=0", "strace", "-D", "-f", "-qq", "-o", "/dev/null",
          "-e",  "inject=" + injection};
}

inline bool has_strace() {
  static const bool has = std::system("strace -V >/dev/null 2>&1") == 0;  // NOLINT(cert-env33-c,concurrency-mt-unsafe)
  return has;
}

}  // namespace share_data::test
