// A segment under our key that is not ours: refused, and left as it was, to the byte.
#include <algorithm>
#include <random>

#include <fmt/format.h>

#include "copies_test.h"
#include "table.h"

namespace share_data::test {
namespace {

class Foreign : public CopiesTest {
 protected:
  /// Whether the program refuses the segment and leaves everything of it as it was.
  void expect_refused_unchanged(const RawSegment& segment, const std::string& why) const {
    const std::vector<std::byte> content{segment.bytes().begin(), segment.bytes().end()};
    const shmid_ds before = segment.state();
    for (const std::vector<std::string>& options :
         {std::vector<std::string>{}, {"--for", "0.01"}, {"--max", "5"}, {"--json"}, {"--status"}}) {
      const Answer answer = ask_here(options);
      SCOPED_TRACE(testing::PrintToString(options) + " says " + answer.notes);
      EXPECT_EQ(answer.exit_code, 1);
      EXPECT_EQ(answer.output, "");
      EXPECT_NE(answer.notes.find(why), std::string::npos);
      EXPECT_NE(answer.notes.find("--key"), std::string::npos) << "the way out";
    }
    EXPECT_TRUE(std::ranges::equal(segment.bytes(), content));
    const shmid_ds after = segment.state();
    EXPECT_EQ(after.shm_perm.mode, before.shm_perm.mode);
    EXPECT_EQ(after.shm_perm.uid, before.shm_perm.uid);
    EXPECT_EQ(after.shm_segsz, before.shm_segsz);
    EXPECT_EQ(after.shm_nattch, before.shm_nattch);
    EXPECT_EQ(after.shm_ctime, before.shm_ctime);
    EXPECT_EQ(segment_of(key()).value_or(shmid_ds{}).shm_segsz, before.shm_segsz) << "still under its key";
  }
};

TEST_F(Foreign, OfAnySizeIsLeftAsItIs) {
  std::mt19937 random{7};
  for (const std::size_t size :
       {std::size_t{1}, sizeof(Table) - 1, sizeof(Table), sizeof(Table) + 1, std::size_t{1} << 20U}) {
    const RawSegment segment{key(), size, 0644};
    std::ranges::generate(segment.bytes(), [&] { return static_cast<std::byte>(random()); });
    expect_refused_unchanged(segment,
                             size == sizeof(Table) ? "another program's data" : fmt::format("{} bytes", size));
    remove_segment(key());
  }
}

TEST_F(Foreign, OfZerosButNotOfOurSizeIsLeftAsItIs) {
  const RawSegment segment{key(), 2 * sizeof(Table)};
  expect_refused_unchanged(segment, fmt::format("{} bytes", 2 * sizeof(Table)));
}

TEST_F(Foreign, WithOneByteThatIsNotZeroIsLeftAsItIs) {
  const RawSegment segment{key(), sizeof(Table)};
  segment.bytes().back() = std::byte{1};
  expect_refused_unchanged(segment, "another program's data");
}

TEST_F(Foreign, OfAnotherVersionIsLeftAsItIs) {
  Copy copy = start();
  ASSERT_TRUE(all_show({&copy}, 1));
  const RawSegment segment{key()};
  copy.destroy();
  segment.as<Table>().magic += std::uint64_t{1} << 56U;
  expect_refused_unchanged(segment, "another version's");
}

TEST_F(Foreign, WhoseUsersAreAttachedIsLeftAsItIs) {
  const RawSegment segment{key(), 4096};
  const RawSegment second{key()};
  const RawSegment third{key()};
  std::ranges::fill(segment.bytes(), std::byte{0x5a});
  expect_refused_unchanged(segment, "4096 bytes");
  EXPECT_EQ(attached_to(key()), 3U);
}

TEST_F(Foreign, MarkedForRemovalDoesNotMatter) {
  const RawSegment segment{key(), sizeof(Table)};
  std::ranges::fill(segment.bytes(), std::byte{0x5a});
  remove_segment(key());
  Copy copy = start();
  EXPECT_TRUE(all_show({&copy}, 1));
  EXPECT_TRUE(std::ranges::all_of(segment.bytes(), [](std::byte byte) { return byte == std::byte{0x5a}; }));
}

}  // namespace
}  // namespace share_data::test
