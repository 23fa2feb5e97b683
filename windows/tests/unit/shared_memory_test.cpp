#include "shared_memory.h"

#include <gtest/gtest.h>

#include <windows.h>

#include <cstddef>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "copies.h"
#include "failure.h"
#include "win32.h"

namespace share_data {
namespace {

class NamedMapping : public testing::Test {
 protected:
  /// The mapping as another program would make it.
  [[nodiscard]] Handle make_foreign(DWORD size, DWORD flags = PAGE_READWRITE,
                                    SECURITY_ATTRIBUTES* security = nullptr) const {
    return Handle{CreateFileMappingA(INVALID_HANDLE_VALUE, security, flags, 0, size, ("Local\\" + name).c_str())};
  }

  /// The hint of the failure to open or create it.
  [[nodiscard]] std::string refusal() const {
    try {
      (void)open_or_create_mapping(name, log);
    } catch (const Failure& failure) {
      return failure.hint();
    }
    return "it was not refused";
  }

  const std::string name = to_utf8(test::unique_name());
  const Log log{{}, 0};
};

TEST_F(NamedMapping, IsOneTableForAllThatOpenItAndGoesWithTheLastOne) {
  const std::string any_script = name + " \xe6\x95\xb0";
  for (int round = 0; round < 2; ++round) {
    const SharedMemory first = open_or_create_mapping(any_script, log);
    const SharedMemory second = open_or_create_mapping(any_script, log);
    EXPECT_EQ(first.table->look().live, 0U);
    EXPECT_EQ(first.table->plain, 0);
    first.table->plain = 42;
    EXPECT_EQ(second.table->plain, 42);
    const std::string rest = " mapping Local\\\\" + any_script + ", 17 KiB, at 0x[0-9a-f]+$";
    EXPECT_TRUE(test::matches(first.description, "^created" + rest)) << first.description;
    EXPECT_TRUE(test::matches(second.description, "^attached to" + rest)) << second.description;
  }
  EXPECT_FALSE(open_existing_mapping(any_script, log));
}

TEST_F(NamedMapping, ThatIsEmptyCanBeReadWithoutAChange) {
  const Handle empty = make_foreign(sizeof(Table));
  const auto mapping = open_existing_mapping(name, log);
  ASSERT_TRUE(mapping);
  EXPECT_EQ(mapping->table->look().live, 0U);
  EXPECT_EQ(mapping->table->magic, 0U);
}

TEST_F(NamedMapping, RefusesWhateverElseHasTheName) {
  for (const auto& [size, flags] : std::map<DWORD, DWORD>{{sizeof(Table) / 2, PAGE_READWRITE},
                                                          {sizeof(Table), PAGE_READWRITE | SEC_RESERVE},
                                                          {sizeof(Table) * 2, PAGE_READWRITE}}) {
    const Handle foreign = make_foreign(size, flags);
    EXPECT_EQ(refusal(), "another program uses this name; take one of your own with --name");
  }
  {
    const auto nobody = test::for_nobody();
    SECURITY_ATTRIBUTES security{sizeof(security), nobody.get(), FALSE};
    const Handle foreign = make_foreign(sizeof(Table), PAGE_READWRITE, &security);
    EXPECT_TRUE(test::matches(refusal(), "does not let us use it")) << refusal();
  }
  const Handle event{CreateEventA(nullptr, FALSE, FALSE, ("Local\\" + name).c_str())};
  EXPECT_TRUE(test::matches(refusal(), "object of another kind.*--name")) << refusal();
  EXPECT_THROW((void)open_existing_mapping(name, log), Failure);
}

TEST_F(NamedMapping, RefusesForeignContentAndChangesNoByteOfIt) {
  std::vector<unsigned char> behind_an_empty_magic(sizeof(Table), 0);
  behind_an_empty_magic[offsetof(Table, slots) + 17 * sizeof(Word)] = 99;
  for (const auto& content : {std::vector<unsigned char>(sizeof(Table), 0x5a), behind_an_empty_magic}) {
    const Handle foreign = make_foreign(sizeof(Table));
    void* view = MapViewOfFile(foreign.get(), FILE_MAP_WRITE, 0, 0, 0);
    ASSERT_NE(view, nullptr);
    std::memcpy(view, content.data(), sizeof(Table));
    EXPECT_THROW((void)open_or_create_mapping(name, log), Failure);
    EXPECT_THROW((void)open_existing_mapping(name, log), Failure);
    EXPECT_EQ(std::memcmp(view, content.data(), sizeof(Table)), 0);
    UnmapViewOfFile(view);
  }
}

}  // namespace
}  // namespace share_data
