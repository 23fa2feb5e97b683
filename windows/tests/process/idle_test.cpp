// A copy that waits costs nothing.
#include <gtest/gtest.h>

#include <windows.h>

#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <ios>
#include <iterator>
#include <optional>
#include <string>

#include "copy.h"

namespace share_data::test {
namespace {

namespace fs = std::filesystem;

std::string content(const fs::path& file) {
  std::ifstream stream{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{stream}, {}};
}

/// How often the threads of a Unix process have gone to sleep. Each wake-up is followed by one more.
std::uint64_t sleeps(const fs::path& process) {
  std::uint64_t total = 0;
  for (const auto& thread : fs::directory_iterator{process / "task"}) {
    const std::string status = content(thread.path() / "status");
    const std::string field = "\nvoluntary_ctxt_switches:";
    const auto at = status.find(field);
    if (at != std::string::npos) total += std::stoull(status.substr(at + field.size()));
  }
  return total;
}

/// Under Wine: those of the Unix process that runs `exe`.
std::uint64_t sleeps_of_copy(const fs::path& exe) {
  const std::string wanted = exe.parent_path().filename().string();
  std::uint64_t total = 0;
  for (const auto& process : fs::directory_iterator{"Z:\\proc"}) {
    try {
      if (content(process.path() / "cmdline").find(wanted) != std::string::npos) total += sleeps(process.path());
    } catch (const std::exception&) {  // some other process, which has just ended
    }
  }
  return total;
}

/// A number that grows with every wake-up of the copy.
std::uint64_t activity(const Copy& copy, const fs::path& exe) {
  ULONG64 cycles = 0;
  if (runs_under_wine()) return sleeps_of_copy(exe);
  return QueryProcessCycleTime(copy.process(), &cycles) != 0 ? cycles : 0;
}

TEST(Idle, CopyDoesNotWakeUpNorDoesStatusWakeIt) {
  const Folder folder;
  const Folder other;  // the same table for both, in two files, so that Wine's processes can be told apart
  const std::vector<std::wstring> arguments{L"--via", L"mapping", L"--name", unique_name()};
  std::vector<std::wstring> status_arguments = arguments;
  status_arguments.emplace_back(L"--status");
  const Copy copy{folder.exe(), arguments};
  const Copy neighbour{other.exe(), arguments};
  ASSERT_TRUE(eventually([&] { return copy.shows() == 2U && neighbour.shows() == 2U; }));
  // It has still to cool down after the last line, and may be rung by a copy of another test that finds somebody
  // dead. A copy that looks around every now and then never sleeps for so long.
  std::uint64_t before = 0;
  EXPECT_TRUE(eventually([&] {
    before = activity(copy, folder.exe());
    Sleep(3000);
    return before != 0 && activity(copy, folder.exe()) == before;
  }));
  EXPECT_TRUE(eventually([&] {
    before = activity(copy, folder.exe());
    const Copy status{other.exe(), status_arguments};
    return status.exit_code() == DWORD{0} && activity(copy, folder.exe()) == before;
  }));
  const Copy newcomer{other.exe(), arguments};
  EXPECT_TRUE(eventually([&] { return activity(copy, folder.exe()) > before; })) << "the measure does not measure";
}

}  // namespace
}  // namespace share_data::test
