// A control group of the test's own (cgroups(7)), version 1 or 2, if the system lets us make one.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

namespace share_data::test {

class ControlGroup {
 public:
  /// Below the mount point that has this type (cgroup or cgroup2) and whose options contain `option`: there each group
  /// has the file `file`.
  struct Kind {
    std::string type;
    std::string option;
    std::string file;
  };

  /// A group of the first kind that there is.
  explicit ControlGroup(const std::vector<Kind>& kinds) {
    for (const Kind& kind : kinds) {
      if (!works()) make(kind);
    }
  }
  ControlGroup(ControlGroup&&) = delete;

  /// The group must be empty by then.
  ~ControlGroup() { rmdir(path_.c_str()); }

  [[nodiscard]] bool works() const { return !file_.empty(); }

  /// Writes to the file of its kind. False if the kernel refuses.
  [[nodiscard]] bool set(const std::string& text) const { return write(file_, text); }
  [[nodiscard]] bool add(pid_t pid) const { return write("cgroup.procs", std::to_string(pid)); }
  bool write(const std::string& file, const std::string& text) const {  // NOLINT(modernize-use-nodiscard)
    std::ofstream stream{path_ / file};
    return static_cast<bool>(stream << text << std::flush);
  }

 private:
  void make(const Kind& kind) {
    std::ifstream mounts{"/proc/self/mounts"};
    for (std::string line; !works() && std::getline(mounts, line);) {
      std::istringstream fields{line};
      std::string device;
      std::string point;
      std::string type;
      std::string options;
      fields >> device >> point >> type >> options;
      if (type != kind.type || ("," + options + ",").find(kind.option) == std::string::npos) continue;
      path_ = point + "/share_data_test_" + std::to_string(getpid());
      std::error_code refused;
      std::filesystem::create_directory(path_, refused);
      if (std::filesystem::exists(path_ / kind.file)) {
        file_ = kind.file;
      } else {
        rmdir(path_.c_str());
      }
    }
  }

  std::filesystem::path path_;
  std::string file_;
};

}  // namespace share_data::test
