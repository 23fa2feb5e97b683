// Copies of different rights: other users, elevated ones.
#include <gtest/gtest.h>

#include <windows.h>

#include <memory>
#include <string>

#include "copies.h"
#include "identity.h"
#include "shared_memory.h"
#include "table.h"
#include "win32.h"

namespace share_data::test {
namespace {

/// A process that nobody may open. Under Wine its owner may all the same, so let it belong to the system.
const wchar_t* guarded() { return runs_under_wine() ? L"O:SYD:" : L"D:"; }

/// Administrators may open any process, if they say so.
class Users : public testing::Test {
 protected:
  void SetUp() override {
    HANDLE token = nullptr;
    OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES, &token);
    const Handle guard{token};
    TOKEN_PRIVILEGES none{.PrivilegeCount = 1, .Privileges = {}};
    LookupPrivilegeValueW(nullptr, L"SeDebugPrivilege", &none.Privileges[0].Luid);
    AdjustTokenPrivileges(token, FALSE, &none, 0, nullptr, nullptr);  // attributes 0: off, here and in our children
  }

  Folder folder;
};

TEST_F(Users, AGuardedCopyLetsTheOthersSeeItsDeath) {
  const auto other = std::make_unique<Copy>(folder.exe(), Start{.security = guarded(), .suspended = true});
  ASSERT_FALSE(Handle{OpenProcess(SYNCHRONIZE, FALSE, other->pid())}) << "it is not guarded";
  other->resume();
  const Copy copy{folder.exe()};
  ASSERT_TRUE(eventually([&] { return copy.shows() == 2U && other->shows() == 2U; })) << copy.output();
  EXPECT_FALSE(Handle{OpenProcess(PROCESS_TERMINATE, FALSE, other->pid())}) << "more is allowed than to watch";
  other->terminate();
  EXPECT_TRUE(eventually([&] { return says(copy, "x " + std::to_string(other->pid()) + " was killed"); }))
      << copy.output();
  EXPECT_EQ(copy.notes().find("500 ms"), std::string::npos) << copy.notes();
}

TEST_F(Users, CopiesOfDifferentRightsSeeEachOtherLeave) {
  const Copy copy{folder.exe()};
  ASSERT_TRUE(eventually([&] { return copy.shows() == 1U; })) << copy.notes();
  const Copy other{folder.exe(), Start{.arguments = {L"--for", L"1"}, .security = guarded()}};
  const std::string pid = std::to_string(other.pid());
  EXPECT_EQ(other.exit_code(), DWORD{0});
  EXPECT_TRUE(eventually([&] { return says(copy, "+ " + pid) && says(copy, "- " + pid); })) << copy.output();
}

TEST_F(Users, TheEndOfAProcessThatMayNotBeOpenedIsSeenAllTheSame) {
  const std::wstring name = unique_name();
  const SharedMemory memory = open_or_create_mapping(to_utf8(name), Log{{}, 0});
  auto other = std::make_unique<Copy>(folder.exe(), Start{.security = guarded(), .suspended = true});
  if (Handle{OpenProcess(SYNCHRONIZE, FALSE, other->pid())}) GTEST_SKIP() << "we may open any process";
  memory.table->slots[0] = word_of(make_identity(other->pid(), 7, true));  // as it would if it could not be opened
  const Copy copy{folder.exe(), {L"--via", L"mapping", L"--name", name}};
  EXPECT_TRUE(eventually([&] { return copy.shows() == 2U; })) << copy.output();
  EXPECT_TRUE(eventually([&] { return copy.notes().find("looking at the table every 500 ms") != std::string::npos; }))
      << copy.notes();
  other.reset();
  EXPECT_TRUE(eventually([&] { return copy.shows() == 1U; })) << copy.output();
}

TEST_F(Users, AProcessThatHasThePidOfAKilledCopyIsNotCounted) {
  const std::wstring name = unique_name();
  const SharedMemory memory = open_or_create_mapping(to_utf8(name), Log{{}, 0});
  const auto other = std::make_unique<Copy>(folder.exe(), Start{.security = guarded(), .suspended = true});
  if (Handle{OpenProcess(SYNCHRONIZE, FALSE, other->pid())}) GTEST_SKIP() << "we may open any process";
  memory.table->slots[0] = word_of(make_identity(other->pid(), 7));
  const Copy copy{folder.exe(), {L"--via", L"mapping", L"--name", name}};
  EXPECT_TRUE(eventually([&] { return copy.shows() == 1U; })) << copy.output();
  EXPECT_TRUE(says(copy, " 1 live  joined")) << copy.output();
  EXPECT_EQ(memory.table->slots[0], 0U);
}

TEST_F(Users, AMappingThatAGuardedCopyCreatedIsForAll) {
  const std::wstring name = unique_name();
  const Start mapping{.arguments = {L"--via", L"mapping", L"--name", name}};
  Start other = mapping;
  other.security = guarded();
  const Copy first{folder.exe(), other};
  ASSERT_TRUE(eventually([&] { return first.shows() == 1U; })) << first.notes();
  const Copy second{folder.exe(), mapping};
  EXPECT_TRUE(eventually([&] { return first.shows() == 2U && second.shows() == 2U; })) << second.notes();
}

}  // namespace
}  // namespace share_data::test
