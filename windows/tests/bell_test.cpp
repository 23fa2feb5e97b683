#include "bell.h"

#include <gtest/gtest.h>

#include <windows.h>

#include <memory>

namespace share_data {
namespace {

constexpr Identity mine = make_identity(4'000'004, 7);
constexpr Identity other = make_identity(4'000'008, 7);

bool rings(const Bell& bell) { return WaitForSingleObject(bell.handle(), 0) == WAIT_OBJECT_0; }

TEST(Bell, StaysRungUntilSomebodyWaits) {
  const Bell bell{mine};
  EXPECT_EQ(bell.error(), DWORD{ERROR_SUCCESS});
  EXPECT_FALSE(rings(bell));
  ring(mine);
  ring(mine);
  EXPECT_TRUE(rings(bell));
  EXPECT_FALSE(rings(bell));
}

TEST(Bell, IsAnotherOneForTheNextProcessWithThePid) {
  const Bell bell{mine};
  ring(make_identity(pid_of(mine), 8));
  EXPECT_FALSE(rings(bell));
}

TEST(Bell, OfNobodyMayBeRung) { ring(other); }

TEST(Bell, IsRungForThoseWhoAreLiveAndNotForOneself) {
  const auto table = std::make_unique<Table>();
  const Bell own{mine};
  const Bell others{other};
  table->claim(mine);
  table->claim(other);
  ring_all(*table, mine);
  EXPECT_FALSE(rings(own));
  EXPECT_TRUE(rings(others));
  table->release(other);
  ring_all(*table, mine);
  EXPECT_FALSE(rings(others));
}

TEST(Bell, ThatSomebodyElseHasMadeIsNotTrusted) {
  const Handle squatter{CreateEventW(nullptr, TRUE, TRUE, bell_name(mine).c_str())};
  const Bell bell{mine};
  EXPECT_NE(bell.error(), DWORD{ERROR_SUCCESS});
  EXPECT_FALSE(rings(bell)) << "an event that is set for ever would never let the copy sleep";
}

TEST(Bell, WhoseNameIsTakenByAnotherKindOfObjectIsReplaced) {
  const Handle squatter{CreateMutexW(nullptr, FALSE, bell_name(mine).c_str())};
  const Bell bell{mine};
  EXPECT_NE(bell.error(), DWORD{ERROR_SUCCESS});
  EXPECT_NE(bell.handle(), nullptr);
  ring(mine);
}

TEST(Bell, OfAProcessInNoTableIsRungWithTheStrays) {
  const Bell bell{own_identity()};
  ring_strays();
  EXPECT_TRUE(rings(bell));
}

}  // namespace
}  // namespace share_data
