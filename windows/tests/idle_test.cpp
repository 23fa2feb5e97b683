// A copy that waits costs nothing.
#include <gtest/gtest.h>

#include <windows.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "copies.h"

namespace share_data::test {
namespace {

namespace fs = std::filesystem;

std::string content(const fs::path& file) {
  std::ifstream stream{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{stream}, {}};
}

/// Under Wine: how often the threads of the Unix process that runs `exe` have gone to sleep. Each wake-up is
/// followed by one more.
std::uint64_t sleeps(const fs::path& exe) {
  const std::string wanted = exe.parent_path().filename().string();
  std::uint64_t total = 0;
  for (const auto& process : fs::directory_iterator{"Z:\\proc"}) {
    if (content(process.path() / "cmdline").find(wanted) == std::string::npos) continue;
    for (const auto& thread : fs::directory_iterator{process.path() / "task"}) {
      const std::string status = content(thread.path() / "status");
      const std::string field = "\nvoluntary_ctxt_switches:";
      const auto at = status.find(field);
      if (at != std::string::npos) total += std::stoull(status.substr(at + field.size()));
    }
  }
  return total;
}

/// A number that grows with every wake-up of the copy.
std::uint64_t activity(const Copy& copy, const fs::path& exe) {
  ULONG64 cycles = 0;
  if (runs_under_wine()) return sleeps(exe);
  return QueryProcessCycleTime(copy.process(), &cycles) != 0 ? cycles : 0;
}

TEST(Idle, CopyDoesNotWakeUp) {
  const Folder folder;
  const Folder other;  // the same table for both, in two files, so that Wine's processes can be told apart
  const std::vector<std::wstring> arguments{L"--via", L"mapping", L"--name", unique_name(), L"--for", L"300"};
  const Copy copy{folder.exe(), arguments};
  const Copy neighbour{other.exe(), arguments};
  ASSERT_TRUE(eventually([&] { return copy.shows() == 2U && neighbour.shows() == 2U; }));
  // It has still to cool down after the last line, and to go to sleep.
  std::uint64_t before = 0;
  ASSERT_TRUE(eventually([&] {
    before = activity(copy, folder.exe());
    Sleep(200);
    return before != 0 && activity(copy, folder.exe()) == before;
  }));
  Sleep(2000);
  EXPECT_EQ(activity(copy, folder.exe()), before);
  const Copy newcomer{other.exe(), arguments};
  EXPECT_TRUE(eventually([&] { return activity(copy, folder.exe()) > before; })) << "the measure does not measure";
}

}  // namespace
}  // namespace share_data::test
