// A control group of the test's own (cgroups(7)), version 1 or 2, if the system lets us make one.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>

namespace share_data::test {

class ControlGroup {
 public:
  /// Below the mount point whose type is `type` (cgroup or cgroup2), and whose options contain `option`. Empty if
  /// that is not allowed, or if the group has no `file`.
  static std::optional<ControlGroup> make(const std::string& type, const std::string& option, const std::string& file) {
    std::ifstream mounts{"/proc/self/mounts"};
    for (std::string line; std::getline(mounts, line);) {
      std::istringstream fields{line};
      std::string device;
      std::string point;
      std::string found;
      std::string options;
      fields >> device >> point >> found >> options;
      if (found != type || ("," + options + ",").find(option) == std::string::npos) continue;
      ControlGroup group{point + "/share_data_test_" + std::to_string(getpid())};
      if (std::filesystem::exists(group.path_ / file)) return group;
    }
    return std::nullopt;
  }

  ControlGroup(ControlGroup&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ControlGroup& operator=(ControlGroup&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  ControlGroup(const ControlGroup&) = delete;
  ControlGroup& operator=(const ControlGroup&) = delete;

  /// The group must be empty by then.
  ~ControlGroup() {
    if (!path_.empty()) rmdir(path_.c_str());
  }

  /// False if the kernel refuses.
  bool write(const std::string& file, const std::string& text) const {  // NOLINT(modernize-use-nodiscard)
    std::ofstream stream{path_ / file};
    return static_cast<bool>(stream << text << std::flush);
  }

  [[nodiscard]] std::string path(const std::string& file) const { return path_ / file; }

  bool add(pid_t pid) const { return write("cgroup.procs", std::to_string(pid)); }  // NOLINT(modernize-use-nodiscard)

 private:
  explicit ControlGroup(std::filesystem::path path) : path_(std::move(path)) {
    std::error_code refused;
    std::filesystem::create_directory(path_, refused);
  }

  std::filesystem::path path_;
};

}  // namespace share_data::test
