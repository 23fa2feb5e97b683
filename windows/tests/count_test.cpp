// Many real copies that come, go and are terminated.
#include <gtest/gtest.h>

#include <windows.h>

#include <algorithm>
#include <iterator>
#include <list>
#include <random>
#include <string>
#include <vector>

#include "copies.h"

namespace share_data::test {
namespace {

using Copies = std::list<Copy>;

void start(Copies& copies, std::size_t count, const std::filesystem::path& exe, const Start& how = {}) {
  for (std::size_t i = 0; i < count; ++i) copies.emplace_back(exe, how);
}

bool all_show(const Copies& copies, unsigned live) {
  return eventually(
      [&] { return std::ranges::all_of(copies, [&](const Copy& copy) { return copy.shows() == live; }); });
}

/// For the message of a test that fails.
std::string all_output(const Copies& copies) {
  std::string all;
  for (const Copy& copy : copies) all += copy.output() + copy.notes();
  return all;
}

bool says(const Copy& copy, const std::string& text) { return copy.output().find(text) != std::string::npos; }

TEST(Count, OfTwelveThatStartAtOnceIsTwelveOnAll) {
  const Folder folder;
  Copies copies;
  start(copies, 12, folder.exe());
  EXPECT_TRUE(all_show(copies, 12)) << all_output(copies);
}

TEST(Count, FollowsThoseWhoLeave) {
  const Folder folder;
  const PseudoConsole console;
  Copies stay;
  Copies go;
  start(stay, 6, folder.exe());
  start(go, 6, folder.exe(), Start{.console = console.handle()});
  ASSERT_TRUE(all_show(stay, 12)) << all_output(stay);
  ASSERT_TRUE(all_show(go, 12)) << all_output(go);
  console.send(CTRL_C_EVENT);
  for (const Copy& copy : go) EXPECT_EQ(copy.exit_code(), DWORD{0}) << copy.output();
  EXPECT_TRUE(all_show(stay, 6)) << all_output(stay);
  for (const Copy& copy : stay) EXPECT_FALSE(says(copy, "killed")) << copy.output();
}

TEST(Count, FollowsThoseWhoAreTerminated) {
  const Folder folder;
  Copies copies;
  start(copies, 12, folder.exe());
  ASSERT_TRUE(all_show(copies, 12)) << all_output(copies);
  for (int i = 0; i < 5; ++i) {
    copies.front().terminate();
    copies.pop_front();
  }
  EXPECT_TRUE(all_show(copies, 7)) << all_output(copies);
  for (const Copy& copy : copies) EXPECT_TRUE(says(copy, "killed")) << copy.output();
  EXPECT_TRUE(eventually([&] { return says(copies.front(), "(a plain ++/-- counter now says 12)"); }))
      << copies.front().output();
}

TEST(Count, IsOneForTheOneThatIsLeft) {
  const Folder folder;
  Copies copies;
  start(copies, 12, folder.exe());
  ASSERT_TRUE(all_show(copies, 12)) << all_output(copies);
  for (auto copy = std::next(copies.begin()); copy != copies.end(); ++copy) TerminateProcess(copy->process(), 1);
  EXPECT_TRUE(eventually([&] { return copies.front().shows() == 1U; })) << copies.front().output();
  Copy newcomer{folder.exe()};
  EXPECT_TRUE(eventually([&] { return newcomer.shows() == 2U; })) << newcomer.output();
}

TEST(Count, IsRightWhateverMomentOfItsStartACopyIsTerminatedAt) {
  const Folder folder;
  Copies witnesses;
  start(witnesses, 2, folder.exe());
  ASSERT_TRUE(all_show(witnesses, 2));
  std::mt19937 random{20240506};  // NOLINT(cert-msc32-c,cert-msc51-cpp): repeatable on purpose
  for (int round = 0; round < 25; ++round) {
    const Copy victim{folder.exe()};
    if (random() % 4 == 0) {
      (void)eventually([&] { return victim.shows().has_value(); });
    } else {
      Sleep(random() % 60);
    }
    victim.terminate();
  }
  EXPECT_TRUE(all_show(witnesses, 2)) << all_output(witnesses);
  const Copy newcomer{folder.exe()};
  EXPECT_TRUE(eventually([&] { return newcomer.shows() == 3U; })) << newcomer.output();
  EXPECT_TRUE(all_show(witnesses, 3)) << all_output(witnesses);
}

TEST(Count, IsRightWithMoreCopiesThanOneCanWatch) {
  const Folder folder;
  Copies copies;
  start(copies, 70, folder.exe());
  ASSERT_TRUE(all_show(copies, 70)) << all_output(copies);
  copies.front().terminate();
  copies.pop_front();
  EXPECT_TRUE(all_show(copies, 69)) << all_output(copies);
  copies.pop_back();
  copies.erase(std::next(copies.begin(), 30));
  EXPECT_TRUE(all_show(copies, 67)) << all_output(copies);
}

TEST(Count, IsKnownToAllWithinASecondOfAKill) {
  const Folder folder;
  Copies copies;
  start(copies, 5, folder.exe());
  ASSERT_TRUE(all_show(copies, 5));
  const std::string killed = "x " + std::to_string(copies.back().pid()) + " was killed";
  const auto begin = std::chrono::steady_clock::now();
  TerminateProcess(copies.back().process(), 1);
  copies.pop_back();
  ASSERT_TRUE(all_show(copies, 4));
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  RecordProperty("milliseconds", std::to_string(took.count()));
  EXPECT_LT(took.count(), 1000);
  for (const Copy& copy : copies) EXPECT_TRUE(says(copy, killed)) << copy.output();
}

TEST(Count, IsRightForAllButThoseThatAreStopped) {
  const Folder folder;
  Copies running;
  Copies stopped;
  start(running, 2, folder.exe());
  start(stopped, 2, folder.exe());
  ASSERT_TRUE(all_show(running, 4) && all_show(stopped, 4));
  for (const Copy& copy : stopped) copy.suspend();
  start(running, 2, folder.exe());
  EXPECT_TRUE(all_show(running, 6)) << all_output(running);
  running.pop_back();
  EXPECT_TRUE(all_show(running, 5)) << all_output(running);
  for (const Copy& copy : stopped) copy.resume();
  EXPECT_TRUE(all_show(stopped, 5)) << all_output(stopped);
}

TEST(Count, IsApartForAnotherFileAndTogetherThroughAMapping) {
  const Folder here;
  const Folder there;
  const Start mapping{.arguments = {L"--via", L"mapping", L"--name", unique_name()}};
  Copies files;
  Copies mapped;
  start(files, 2, here.exe());
  start(mapped, 1, here.exe(), mapping);
  start(mapped, 1, there.exe(), mapping);
  const Copy elsewhere{there.exe()};
  EXPECT_TRUE(all_show(mapped, 2)) << all_output(mapped);
  EXPECT_TRUE(all_show(files, 2)) << all_output(files);
  EXPECT_TRUE(eventually([&] { return elsewhere.shows() == 1U; })) << elsewhere.output();
  mapped.pop_back();
  EXPECT_TRUE(all_show(mapped, 1)) << all_output(mapped);
}

/// With this privilege, which an elevated process has, any process can be opened. Those that this one starts from now
/// on do not have it either.
void drop_debug_privilege() {
  HANDLE token = nullptr;
  ASSERT_NE(OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES, &token), 0);
  const Handle guard{token};
  TOKEN_PRIVILEGES privileges{};
  privileges.PrivilegeCount = 1;
  privileges.Privileges[0].Attributes = SE_PRIVILEGE_REMOVED;
  ASSERT_NE(LookupPrivilegeValueW(nullptr, L"SeDebugPrivilege", &privileges.Privileges[0].Luid), 0);
  ASSERT_NE(AdjustTokenPrivileges(token, FALSE, &privileges, 0, nullptr, nullptr), 0);
}

TEST(Count, OfCopiesThatMayNotBeLookedAtIncludesThem) {
  drop_debug_privilege();
  const Folder folder;
  // Nobody may open this process. (Under Wine its owner may all the same, so let it belong to the system.)
  const Copy guarded{folder.exe(), Start{.security = runs_under_wine() ? L"O:SYD:" : L"D:"}};
  ASSERT_TRUE(eventually([&] { return guarded.shows() == 1U; })) << guarded.notes();
  ASSERT_FALSE(Handle{OpenProcess(SYNCHRONIZE, FALSE, guarded.pid())});
  ASSERT_EQ(GetLastError(), DWORD{ERROR_ACCESS_DENIED});
  const Copy newcomer{folder.exe()};
  EXPECT_TRUE(eventually([&] { return newcomer.shows() == 2U; })) << newcomer.output();
  EXPECT_TRUE(eventually([&] { return guarded.shows() == 2U; })) << guarded.output();
}

}  // namespace
}  // namespace share_data::test
