#include "segment.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "failure.h"
#include "kernel_view.h"

namespace share_data::test {
namespace {

class SegmentTest : public testing::Test {
 protected:
  void SetUp() override { remove_segment(key); }
  void TearDown() override { remove_segment(key); }

  /// The bytes of a new segment of ours.
  std::vector<std::byte> table_of_ours() const {
    const Segment segment = Segment::open_or_create(key);
    const RawSegment raw{key};
    std::vector<std::byte> bytes{raw.bytes().begin(), raw.bytes().end()};
    remove_segment(key);
    return bytes;
  }

  /// Plants a segment and checks that it is refused, for a reason that contains `why`, and left as it was.
  void expect_refused(const std::vector<std::byte>& content, const std::string& why) const {
    const RawSegment planted{key, content.size(), 0640};
    std::ranges::copy(content, planted.bytes().begin());
    const shmid_ds before = planted.state();
    EXPECT_EQ(reason_of([&] { (void)Segment::open_or_create(key); }, why), why);
    EXPECT_EQ(reason_of([&] { (void)Segment::open_existing(key); }, why), why);
    const shmid_ds after = planted.state();
    EXPECT_TRUE(std::ranges::equal(planted.bytes(), content)) << "the content was changed";
    EXPECT_EQ(after.shm_perm.mode, before.shm_perm.mode);
    EXPECT_EQ(after.shm_nattch, 1U);
    EXPECT_EQ(after.shm_ctime, before.shm_ctime);
    remove_segment(key);
  }

  /// `expected` if the call fails for a reason that contains it, else the reason.
  template <typename Call>
  static std::string reason_of(Call call, const std::string& expected) {
    try {
      call();
      return "none";
    } catch (const Failure& failure) {
      const std::string reason = std::string{failure.what()} + " / " + failure.hint();
      return reason.find(expected) == std::string::npos ? reason : expected;
    }
  }

  static std::uint64_t word(const std::vector<std::byte>& content, std::size_t offset) {
    std::uint64_t value = 0;
    std::memcpy(&value, content.data() + offset, sizeof value);
    return value;
  }

  static void set_word(std::vector<std::byte>& content, std::size_t offset, std::uint64_t value) {
    std::memcpy(content.data() + offset, &value, sizeof value);
  }

  const key_t key = static_cast<key_t>(0x5f00'0000U | static_cast<std::uint32_t>(getpid()));
};

TEST_F(SegmentTest, IsCreatedOnceAndForThisUserOnly) {
  const Segment first = Segment::open_or_create(key);
  const Segment second = Segment::open_or_create(key);
  EXPECT_TRUE(first.created());
  EXPECT_FALSE(second.created());
  EXPECT_EQ(first.id(), second.id());
  const shmid_ds info = segment_of(key).value();
  EXPECT_EQ(info.shm_segsz, sizeof(Table));
  EXPECT_EQ(info.shm_perm.mode & 0777, 0600U);
  EXPECT_EQ(info.shm_nattch, 2U);
  EXPECT_EQ(first.state().attached, 2U);
}

TEST_F(SegmentTest, IsOneMemoryForAllWhoAttach) {
  const Segment first = Segment::open_or_create(key);
  const Segment second = Segment::open_or_create(key);
  ASSERT_NE(&first.table(), &second.table());
  first.table().plain = 17;
  EXPECT_EQ(second.table().plain, 17);
}

TEST_F(SegmentTest, DetachesAtTheEnd) {
  { const Segment segment = Segment::open_or_create(key); }
  EXPECT_EQ(attached_to(key), 0U);
  EXPECT_TRUE(segment_of(key)) << "whoever only detaches removes nothing";
}

TEST_F(SegmentTest, SaysWhatItIs) {
  const Segment segment = Segment::open_or_create(key);
  const std::string text = segment.describe(key);
  EXPECT_EQ(text.find("segment " + std::to_string(segment.id()) + ", key 0x5f"), 0U) << text;
  EXPECT_NE(text.find(", 33 KiB, attached at 0x"), std::string::npos) << text;
}

TEST_F(SegmentTest, IsNotCreatedByLooking) {
  EXPECT_FALSE(Segment::open_existing(key));
  EXPECT_FALSE(segment_of(key));
}

TEST_F(SegmentTest, OfZerosIsANewOneOfOurs) {
  const RawSegment zeros{key, sizeof(Table)};
  const Segment segment = Segment::open_or_create(key);
  EXPECT_TRUE(segment.created()) << "whoever created it was killed before it could say whose it is";
  EXPECT_EQ(segment.table().key, static_cast<std::uint32_t>(key));
}

TEST_F(SegmentTest, OfAnotherSizeIsRefused) {
  const std::vector<std::byte> ours = table_of_ours();
  for (const std::size_t size : {1UL, 4096UL, sizeof(Table) - 1, sizeof(Table) + 1, 2 * sizeof(Table)}) {
    std::vector<std::byte> content = ours;
    content.resize(size, std::byte{0x5a});
    expect_refused(content, std::to_string(size) + " bytes");
  }
}

TEST_F(SegmentTest, WithAnotherMagicIsRefused) {
  std::vector<std::byte> content = table_of_ours();
  set_word(content, offsetof(Table, magic), word(content, offsetof(Table, magic)) + 1);
  expect_refused(content, "another program's data, or another version's");
}

TEST_F(SegmentTest, WithoutMagicButWithDataIsRefused) {
  for (const std::size_t at : {std::size_t{8}, std::size_t{100}, sizeof(Table) - 1}) {
    std::vector<std::byte> content(sizeof(Table), std::byte{0});
    content[at] = std::byte{1};
    expect_refused(content, "another program's data");
  }
}

TEST_F(SegmentTest, OfAnotherNamespaceIsRefused) {
  std::vector<std::byte> content = table_of_ours();
  set_word(content, offsetof(Table, namespaces), word(content, offsetof(Table, namespaces)) + 1);
  expect_refused(content, "is used in another PID or time namespace");
}

TEST_F(SegmentTest, KnowsThatItWasRemoved) {
  const Segment segment = Segment::open_or_create(key);
  EXPECT_FALSE(segment.state().removed);
  segment.remove();
  EXPECT_TRUE(segment.state().removed);
  segment.remove();  // gone is gone
  EXPECT_FALSE(segment_of(key));
}

TEST_F(SegmentTest, IsFoundAfterItWasRemovedAsLongAsSomebodyLivesInIt) {
  {
    const Segment removed = Segment::open_or_create(key);
    EXPECT_TRUE(Segment::open_removed(key, Access::read_write).empty());
    removed.remove();
    const Segment fresh = Segment::open_or_create(key);
    EXPECT_NE(fresh.id(), removed.id());
    const std::vector<Segment> found = Segment::open_removed(key, Access::read_write);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found.front().id(), removed.id());
    EXPECT_TRUE(Segment::open_removed(key + 1, Access::read_write).empty()) << "another key";
  }
  EXPECT_TRUE(Segment::open_removed(key, Access::read_write).empty());
}

TEST_F(SegmentTest, OfSomebodyElseThatWasRemovedIsNotOurs) {
  const RawSegment removed{key, sizeof(Table)};
  std::ranges::fill(removed.bytes(), std::byte{0x5a});
  remove_segment(key);
  EXPECT_TRUE(Segment::open_removed(key, Access::read_write).empty());
}

TEST(DefaultKey, BelongsToTheUser) { EXPECT_EQ(default_key(), static_cast<key_t>(0x5d00'0000U | geteuid())); }

}  // namespace
}  // namespace share_data::test
