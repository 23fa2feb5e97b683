// Copies of different rights: other users, elevated ones.
#include <gtest/gtest.h>

#include <windows.h>

#include <sddl.h>

#include <algorithm>
#include <memory>
#include <string>

#include "copies.h"

namespace share_data::test {
namespace {

/// A process that nobody may open. Under Wine its owner may all the same, so let it belong to the system.
const wchar_t* guarded() { return runs_under_wine() ? L"O:SYD:" : L"D:"; }

/// Takes from everybody what the copy has allowed them.
void guard_again(const Copy& copy) {
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  ASSERT_NE(ConvertStringSecurityDescriptorToSecurityDescriptorW(guarded(), SDDL_REVISION_1, &descriptor, nullptr), 0);
  const DWORD parts = DACL_SECURITY_INFORMATION | (runs_under_wine() ? OWNER_SECURITY_INFORMATION : 0);
  EXPECT_NE(SetKernelObjectSecurity(copy.process(), parts, descriptor), 0) << GetLastError();
  LocalFree(descriptor);
}

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

TEST_F(Users, ADeathThatMayNotBeWatchedIsSeenAllTheSame) {
  auto other = std::make_unique<Copy>(folder.exe());
  ASSERT_TRUE(eventually([&] { return other->shows() == 1U; })) << other->notes();
  guard_again(*other);
  if (Handle{OpenProcess(SYNCHRONIZE, FALSE, other->pid())}) GTEST_SKIP() << "we may open any process";
  const Copy copy{folder.exe(), {L"--explain"}};
  ASSERT_TRUE(eventually([&] { return copy.shows() == 2U && other->shows() == 2U; })) << copy.output();
  EXPECT_TRUE(eventually([&] { return copy.notes().find("looking at the table every 500 ms") != std::string::npos; }))
      << copy.notes();
  const std::string death = std::to_string(other->pid()) + "|killed\n";
  other.reset();
  EXPECT_TRUE(eventually([&] { return copy.shows() == 1U; })) << copy.output();

  const auto notes_since = [&] {
    const std::string notes = copy.notes();
    return notes.substr(std::min(notes.find(death), notes.size()));
  };
  ASSERT_TRUE(eventually([&] { return notes_since().find("waiting for") != std::string::npos; })) << copy.notes();
  const Copy longer_than_that{folder.exe(), {L"--via", L"mapping", L"--name", unique_name(), L"--for", L"0.8"}};
  EXPECT_EQ(longer_than_that.exit_code(), DWORD{0});
  EXPECT_EQ(notes_since().find("it is time for a look"), std::string::npos) << copy.notes();
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
