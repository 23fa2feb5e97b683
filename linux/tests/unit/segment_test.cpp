#include "segment.h"

#include "kernel_view.h"

namespace share_data::test {
namespace {

class SegmentTest : public testing::Test {
 protected:
  void TearDown() override { remove_segment(key); }

  const Log log{{.quiet = true}, 0};
  const key_t key = own_key();
};

TEST_F(SegmentTest, IsCreatedOnceForThisUserOnlyAndIsOneMemoryForAllWhoAttach) {
  const Segment first = Segment::open_or_create(key, log);
  const Segment second = Segment::open_or_create(key, log);
  EXPECT_EQ(first.id(), second.id());
  const shmid_ds info = segment_of(key).value();
  EXPECT_EQ(info.shm_segsz, sizeof(Table));
  EXPECT_EQ(info.shm_perm.mode & 0777, 0600U);
  EXPECT_EQ(first.state().shm_nattch, 2U);
  ASSERT_NE(&first.table(), &second.table());
  first.table().plain = 17;
  EXPECT_EQ(second.table().plain, 17);
}

TEST_F(SegmentTest, OfZerosIsANewOneOfOurs) {
  const RawSegment zeros{key, sizeof(Table)};
  const Segment segment = Segment::open_or_create(key, log);
  EXPECT_NE(segment.table().magic, 0U) << "its creator was killed before it could write the magic";
  EXPECT_EQ(segment.table().key, static_cast<std::uint32_t>(key));
}

TEST_F(SegmentTest, IsFoundAfterItWasRemovedAsLongAsSomebodyIsAttached) {
  const auto found = [&](key_t which) { return Segment::open_removed(which, Access::read_write); };
  {
    const Segment segment = Segment::open_or_create(key, log);
    EXPECT_FALSE(is_removed(segment.state()));
    EXPECT_TRUE(found(key).empty());
    EXPECT_TRUE(segment.remove(log));
    EXPECT_TRUE(is_removed(segment.state()));
    EXPECT_FALSE(segment.remove(log)) << "no error";
    EXPECT_NE(Segment::open_or_create(key, log).id(), segment.id());
    ASSERT_EQ(found(key).size(), 1U);
    EXPECT_EQ(found(key).front().id(), segment.id());
    EXPECT_TRUE(found(key + 0x100'0000).empty()) << "another key";
  }
  EXPECT_TRUE(found(key).empty());
}

TEST(DefaultKey, BelongsToTheUser) { EXPECT_EQ(default_key(), static_cast<key_t>(0x5d00'0000U | geteuid())); }

}  // namespace
}  // namespace share_data::test
