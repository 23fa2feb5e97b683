#include "member.h"

#include <csignal>
#include <fstream>
#include <sstream>
#include <string_view>

#include <fmt/format.h>

namespace share_data::test {

bool Member::may_end_with(int code) {
  switch (code) {
    case 0:
      return told != 0 || timed || unheard || question;
    case 1:
      return damaged;
    case 3:
      return limited && !joined();
    case -SIGKILL:
      return told == SIGKILL;
    case -SIGHUP:
      return (told == SIGHUP || unheard) && !joined();
    default:  // a signal that comes before the program is ready for it does what it does by default
      return code == -told && !joined();
  }
}

std::optional<int> shown_by(Copy& copy) {
  constexpr std::string_view field = R"("live":)";
  if (copy.lines().empty()) return std::nullopt;
  const std::string& last = copy.lines().back();
  const auto found = last.find(field);
  return found == std::string::npos ? live_on(last) : std::stoi(last.substr(found + field.size()));
}

std::vector<int> segments_attached_by(pid_t pid) {
  std::ifstream file{fmt::format("/proc/{}/maps", pid)};
  std::vector<int> ids;
  for (std::string line; std::getline(file, line);) {
    if (line.find(" /SYSV") == std::string::npos) continue;
    std::istringstream fields{line};
    std::string range;
    std::string permissions;
    std::string offset;
    std::string device;
    int inode = 0;  // the id: ipc/shm.c says so
    fields >> range >> permissions >> offset >> device >> inode;
    ids.push_back(inode);
  }
  return ids;
}

}  // namespace share_data::test
