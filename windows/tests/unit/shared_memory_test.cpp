#include "shared_memory.h"

#include <gtest/gtest.h>

#include <windows.h>

#include <sddl.h>

#include <algorithm>
#include <cstring>
#include <optional>
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
  explicit Foreign(DWORD size, DWORD flags = PAGE_READWRITE)
      : mapping_(CreateFileMappingW(INVALID_HANDLE_VALUE, nullptr, flags, 0, size, (L"Local\\" + name_).c_str())) {}

  [[nodiscard]] std::string name() const { return to_utf8(name_); }
  [[nodiscard]] HANDLE handle() const { return mapping_.get(); }

 private:
  std::wstring name_ = test::unique_name();
  Handle mapping_;
};

TEST(NamedMapping, IsOneTableForAllThatOpenIt) {
  const std::string name = to_utf8(test::unique_name());
  const SharedMemory first = open_or_create_mapping(name, Log{{}, 0});
  const SharedMemory second = open_or_create_mapping(name, Log{{}, 0});
  EXPECT_NE(first.table.get(), second.table.get());
  first.table->plain = 42;
  EXPECT_EQ(second.table->plain, 42);
  EXPECT_TRUE(first.description.starts_with("created"));
  EXPECT_TRUE(second.description.starts_with("attached to"));
}

TEST(NamedMapping, IsEmptyWhenItIsNew) {
  const SharedMemory mapping = open_or_create_mapping(to_utf8(test::unique_name()), Log{{}, 0});
  EXPECT_EQ(mapping.table->plain, 0);
  EXPECT_EQ(mapping.table->look().live, 0U);
}

TEST(NamedMapping, GoesWithTheLastOneThatHasIt) {
  const std::string name = to_utf8(test::unique_name());
  { open_or_create_mapping(name, Log{{}, 0}).table->plain = 42; }
  EXPECT_FALSE(open_existing_mapping(name, Log{{}, 0}));
  EXPECT_EQ(open_or_create_mapping(name, Log{{}, 0}).table->plain, 0);
}

TEST(NamedMapping, OfThoseWhoWantItAtTheSameTimeOneCreatesIt) {
  for (int round = 0; round < 20; ++round) {
    const std::string name = to_utf8(test::unique_name());
    std::vector<std::optional<SharedMemory>> found(4);
    std::vector<std::thread> threads;
    threads.reserve(found.size());
    for (auto& memory : found) threads.emplace_back([&] { memory = open_or_create_mapping(name, Log{{}, 0}); });
    for (auto& thread : threads) thread.join();
    const auto created = [](const auto& memory) { return memory->description.starts_with("created"); };
    ASSERT_EQ(std::ranges::count_if(found, created), 1);
  }
}

TEST(NamedMapping, ThatIsEmptyCanBeReadWithoutAChange) {
  const Foreign empty{sizeof(Table)};
  const auto mapping = open_existing_mapping(empty.name(), Log{{}, 0});
  ASSERT_TRUE(mapping);
  EXPECT_EQ(mapping->table->look().live, 0U);
  EXPECT_EQ(mapping->table->magic, 0U);
}

TEST(NamedMapping, TakesNoAddressesOnceNobodyUsesIt) {
  SharedMemory mapping = open_or_create_mapping(to_utf8(test::unique_name()), Log{{}, 0});
  const void* const address = mapping.table.get();
  mapping.table.reset();
  MEMORY_BASIC_INFORMATION info{};
  ASSERT_NE(VirtualQuery(address, &info, sizeof(info)), 0U);
  EXPECT_EQ(info.State, DWORD{MEM_FREE});
}

TEST(NamedMapping, TakesNamesInAnyScript) {
  const std::string name = to_utf8(test::unique_name()) + " \xe6\x95\xb0";
  const SharedMemory mapping = open_or_create_mapping(name, Log{{}, 0});
  EXPECT_TRUE(open_existing_mapping(name, Log{{}, 0}));
}

TEST(NamedMapping, RefusesANameThatAnEventHas) {
  const std::wstring name = test::unique_name();
  const Handle event{CreateEventW(nullptr, FALSE, FALSE, (L"Local\\" + name).c_str())};
  EXPECT_THROW((void)open_or_create_mapping(to_utf8(name), Log{{}, 0}), Failure);
  EXPECT_THROW((void)open_existing_mapping(to_utf8(name), Log{{}, 0}), Failure);
}

TEST(NamedMapping, RefusesAMappingOfAnotherSize) {
  const Foreign smaller{sizeof(Table) / 2};
  const Foreign larger{sizeof(Table) * 2};
  EXPECT_THROW((void)open_or_create_mapping(smaller.name(), Log{{}, 0}), Failure);
  EXPECT_THROW((void)open_or_create_mapping(larger.name(), Log{{}, 0}), Failure);
}

TEST(NamedMapping, RefusesForeignContentAndChangesNoByteOfIt) {
  const Foreign foreign{sizeof(Table)};
  void* view = MapViewOfFile(foreign.handle(), FILE_MAP_WRITE, 0, 0, 0);
  ASSERT_NE(view, nullptr);
  std::memset(view, 0x5a, sizeof(Table));
  const std::vector<unsigned char> expected(sizeof(Table), 0x5a);
  EXPECT_THROW((void)open_or_create_mapping(foreign.name(), Log{{}, 0}), Failure);
  EXPECT_THROW((void)open_existing_mapping(foreign.name(), Log{{}, 0}), Failure);
  EXPECT_EQ(std::memcmp(view, expected.data(), sizeof(Table)), 0);
  UnmapViewOfFile(view);
}

TEST(NamedMapping, RefusesForeignContentBehindAnEmptyMagic) {
  const Foreign foreign{sizeof(Table)};
  auto* view = static_cast<Table*>(MapViewOfFile(foreign.handle(), FILE_MAP_WRITE, 0, 0, 0));
  ASSERT_NE(view, nullptr);
  view->slots[17] = 99;
  EXPECT_THROW((void)open_or_create_mapping(foreign.name(), Log{{}, 0}), Failure);
  EXPECT_EQ(view->magic, 0U);
  UnmapViewOfFile(view);
}

TEST(NamedMapping, RefusesMemoryThatIsOnlyReserved) {
  const Foreign reserved{sizeof(Table), PAGE_READWRITE | SEC_RESERVE};
  EXPECT_THROW((void)open_or_create_mapping(reserved.name(), Log{{}, 0}), Failure);
}

TEST(NamedMapping, OfACopyWithOtherRightsIsRefusedWithTheReason) {
  if (test::runs_under_wine()) GTEST_SKIP() << "Wine lets the owner of an object do everything";
  PSECURITY_DESCRIPTOR nobody = nullptr;
  ASSERT_NE(ConvertStringSecurityDescriptorToSecurityDescriptorW(L"D:", SDDL_REVISION_1, &nobody, nullptr), 0);
  SECURITY_ATTRIBUTES security{sizeof(security), nobody, FALSE};
  const std::wstring name = test::unique_name();
  const Handle mapping{CreateFileMappingW(INVALID_HANDLE_VALUE, &security, PAGE_READWRITE, 0, sizeof(Table),
                                          (L"Local\\" + name).c_str())};
  LocalFree(nobody);
  try {
    (void)open_or_create_mapping(to_utf8(name), Log{{}, 0});
    FAIL() << "it was not refused";
  } catch (const Failure& failure) {
    EXPECT_NE(failure.hint().find("lets us not use it"), std::string::npos) << failure.hint();
  }
}

TEST(NamedMapping, SaysWhatToDoIfTheNameIsTaken) {
  const Foreign foreign{sizeof(Table) * 2};
  try {
    (void)open_or_create_mapping(foreign.name(), Log{{}, 0});
    FAIL() << "it was not refused";
  } catch (const Failure& failure) {
    EXPECT_NE(failure.hint().find("--name"), std::string::npos) << failure.hint();
  }
}

}  // namespace
}  // namespace share_data
