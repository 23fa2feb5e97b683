// What is refused, and what the program says of it.
#include <gtest/gtest.h>

#include <windows.h>

#include <string>

#include "copies.h"

namespace share_data::test {
namespace {

TEST(Failing, ANameThatAnEventHasIsRefused) {
  const Folder folder;
  const std::wstring name = unique_name();
  const Handle squatter{CreateEventW(nullptr, FALSE, FALSE, (L"Local\\" + name).c_str())};
  for (const wchar_t* more : {L"--quiet", L"--status"}) {
    const Copy copy{folder.exe(), {L"--via", L"mapping", L"--name", name, more}};
    EXPECT_EQ(copy.exit_code(), DWORD{1});
    EXPECT_TRUE(eventually([&] { return matches(copy.notes(), "object of another kind.*--name"); })) << copy.notes();
  }
}

TEST(Failing, ASectionThatIsNotSharedIsRefused) {
  const Folder folder;
  unshare_section(folder.exe());
  for (const wchar_t* option : {L"--for=1", L"--status"}) {
    const Copy copy{folder.exe(), {option}};
    EXPECT_EQ(copy.exit_code(), DWORD{1});
    EXPECT_TRUE(eventually([&] { return matches(copy.notes(), "section SHARED is not shared in .*exe"); }))
        << copy.notes();
  }
}

}  // namespace
}  // namespace share_data::test
