#include "shared_memory.h"

#include <gtest/gtest.h>

#include <windows.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "copy.h"
#include "failure.h"
#include "win32.h"

namespace share_data {
namespace {

/// A mapping as another program would make it.
class Foreign {
 public:
  explicit Foreign(DWORD size, DWORD flags = PAGE_READWRITE, SECURITY_ATTRIBUTES* security = nullptr)
      : mapping_(CreateFileMappingW(INVALID_HANDLE_VALUE, security, flags, 0, size, (L"Local\\" + name_).c_str())) {}

  [[nodiscard]] std::string name() const { return to_utf8(name_); }
  [[nodiscard]] HANDLE handle() const { return mapping_.get(); }

 private:
  std::wstring name_ = test::unique_name();
  Handle mapping_;
};

TEST(NamedMapping, IsOneTableForAllThatOpenItAndGoesWithTheLastOne) {
  const std::string name = to_utf8(test::unique_name()) + " \xe6\x95\xb0";
  for (int round = 0; round < 2; ++round) {
    const SharedMemory first = open_or_create_mapping(name, Log{{}, 0});
    const SharedMemory second = open_or_create_mapping(name, Log{{}, 0});
    EXPECT_EQ(first.table->look().live, 0U);
    EXPECT_EQ(first.table->plain, 0);
    first.table->plain = 42;
    EXPECT_EQ(second.table->plain, 42);
    const std::string rest = " mapping Local\\\\" + name + ", 41 KiB, at 0x[0-9a-f]+$";
    EXPECT_TRUE(test::matches(first.description, "^created" + rest)) << first.description;
    EXPECT_TRUE(test::matches(second.description, "^attached to" + rest)) << second.description;
  }
  EXPECT_FALSE(open_existing_mapping(name, Log{{}, 0}));
}

TEST(NamedMapping, ThatIsEmptyCanBeReadWithoutAChange) {
  const Foreign empty{sizeof(Table)};
  const auto mapping = open_existing_mapping(empty.name(), Log{{}, 0});
  ASSERT_TRUE(mapping);
  EXPECT_EQ(mapping->table->look().live, 0U);
  EXPECT_EQ(mapping->table->magic, 0U);
}

/// The hint of the failure to open or create the mapping.
std::string refusal(const std::string& name) {
  try {
    (void)open_or_create_mapping(name, Log{{}, 0});
  } catch (const Failure& failure) {
    return failure.hint();
  }
  return "it was not refused";
}

TEST(NamedMapping, RefusesWhateverElseHasTheName) {
  const std::wstring name = test::unique_name();
  const Handle event{CreateEventW(nullptr, FALSE, FALSE, (L"Local\\" + name).c_str())};
  EXPECT_TRUE(test::matches(refusal(to_utf8(name)), "object of another kind.*--name")) << refusal(to_utf8(name));
  EXPECT_THROW((void)open_existing_mapping(to_utf8(name), Log{{}, 0}), Failure);
  const Foreign smaller{sizeof(Table) / 2};
  const Foreign larger{sizeof(Table) * 2};
  const Foreign reserved{sizeof(Table), PAGE_READWRITE | SEC_RESERVE};
  for (const Foreign* foreign : {&smaller, &larger, &reserved}) {
    EXPECT_TRUE(
        test::matches(refusal(foreign->name()), "another program uses this name; take one of your own with --name"));
  }
}

TEST(NamedMapping, RefusesForeignContentAndChangesNoByteOfIt) {
  std::vector<unsigned char> behind_an_empty_magic(sizeof(Table), 0);
  behind_an_empty_magic[offsetof(Table, slots) + 17 * sizeof(Word)] = 99;
  for (const auto& content : {std::vector<unsigned char>(sizeof(Table), 0x5a), behind_an_empty_magic}) {
    const Foreign foreign{sizeof(Table)};
    void* view = MapViewOfFile(foreign.handle(), FILE_MAP_WRITE, 0, 0, 0);
    ASSERT_NE(view, nullptr);
    std::memcpy(view, content.data(), sizeof(Table));
    EXPECT_THROW((void)open_or_create_mapping(foreign.name(), Log{{}, 0}), Failure);
    EXPECT_THROW((void)open_existing_mapping(foreign.name(), Log{{}, 0}), Failure);
    EXPECT_EQ(std::memcmp(view, content.data(), sizeof(Table)), 0);
    UnmapViewOfFile(view);
  }
}

TEST(NamedMapping, OfACopyWithOtherRightsIsRefusedWithTheReason) {
  if (test::runs_under_wine()) GTEST_SKIP() << "Wine lets the owner of an object do everything";
  const auto nobody = test::security(test::for_nobody());
  SECURITY_ATTRIBUTES security{sizeof(security), nobody.get(), FALSE};
  const Foreign foreign{sizeof(Table), PAGE_READWRITE, &security};
  EXPECT_TRUE(test::matches(refusal(foreign.name()), "does not let us use it")) << refusal(foreign.name());
}

}  // namespace
}  // namespace share_data
