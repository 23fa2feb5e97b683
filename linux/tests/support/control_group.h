// A control group of the test's own (cgroups(7)), version 1 or 2, if the system lets us make one.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

namespace share_data::test {

class ControlGroup {
 public:
  /// Where such groups are, and a file that each of them has.
  struct Kind {
    const char* folder;
    const char* file;
  };

  /// A group of the first kind that there is.
  explicit ControlGroup(const std::vector<Kind>& kinds) {
    for (auto kind = kinds.begin(); kind != kinds.end() && !works_; ++kind) {
      path_ = std::string{kind->folder} + "/share_data_test_" + std::to_string(getpid());
      file_ = kind->file;
      std::error_code refused;
      std::filesystem::create_directory(path_, refused);
      works_ = std::filesystem::exists(path_ / file_);
      if (!works_) rmdir(path_.c_str());
    }
  }
  ControlGroup(ControlGroup&&) = delete;

  /// The group must be empty by then.
  ~ControlGroup() { rmdir(path_.c_str()); }

  [[nodiscard]] bool works() const { return works_; }

  /// Writes to the file of its kind, or to another one. False if the kernel refuses.
  [[nodiscard]] bool set(const std::string& text) const { return write(file_, text); }
  [[nodiscard]] bool add(pid_t pid) const { return write("cgroup.procs", std::to_string(pid)); }
  bool write(const std::string& file, const std::string& text) const {  // NOLINT(modernize-use-nodiscard)
    return static_cast<bool>(std::ofstream{path_ / file} << text << std::flush);
  }

 private:
  std::filesystem::path path_;
  std::string file_;
  bool works_ = false;
};

}  // namespace share_data::test
