#include "grid.h"

#include <gtest/gtest.h>

#include <vector>

namespace share_data {
namespace {

constexpr Area projector{.left = 0, .top = 0, .width = 1280, .height = 720};
constexpr Area odd_one{.left = -7, .top = 30, .width = 1367, .height = 731};  // a task bar at the top, a second screen

int size_of(const Area& area) { return area.width * area.height; }

bool overlap(const Area& a, const Area& b) {
  return a.left < b.left + b.width && b.left < a.left + a.width && a.top < b.top + b.height && b.top < a.top + a.height;
}

bool contains(const Area& outer, const Area& inner) {
  return inner.left >= outer.left && inner.top >= outer.top && inner.left + inner.width <= outer.left + outer.width &&
         inner.top + inner.height <= outer.top + outer.height;
}

TEST(Grid, OfOneIsTheWholeScreen) { EXPECT_EQ(cell(odd_one, 1, 0), odd_one); }

TEST(Grid, PutsTwoSideBySide) {
  EXPECT_EQ(cell(projector, 2, 0), (Area{.left = 0, .top = 0, .width = 640, .height = 720}));
  EXPECT_EQ(cell(projector, 2, 1), (Area{.left = 640, .top = 0, .width = 640, .height = 720}));
}

TEST(Grid, GivesTheLastRowTheWholeWidth) {
  EXPECT_EQ(cell(projector, 3, 1), (Area{.left = 640, .top = 0, .width = 640, .height = 360}));
  EXPECT_EQ(cell(projector, 3, 2), (Area{.left = 0, .top = 360, .width = 1280, .height = 360}));
}

TEST(Grid, FillsTheScreenAndOverlapsNowhere) {
  for (const Area& screen : {projector, odd_one}) {
    for (int count = 1; count <= most_cells; ++count) {
      std::vector<Area> cells;
      int covered = 0;
      for (int i = 0; i < count; ++i) {
        cells.push_back(cell(screen, count, i));
        covered += size_of(cells.back());
        EXPECT_TRUE(contains(screen, cells.back())) << i << " of " << count;
        for (int j = 0; j < i; ++j) {
          EXPECT_FALSE(overlap(cells[static_cast<std::size_t>(j)], cells.back())) << i << ", " << j << " of " << count;
        }
      }
      EXPECT_EQ(covered, size_of(screen)) << count;
    }
  }
}

TEST(Grid, IsFourByFourForSixteen) {
  EXPECT_EQ(cell(projector, 16, 15), (Area{.left = 960, .top = 540, .width = 320, .height = 180}));
}

TEST(Grid, LaysWhatIsTooManyOverTheFirst) {
  EXPECT_EQ(cell(projector, 100, 16), cell(projector, 16, 0));
  EXPECT_EQ(cell(projector, 100, 99), cell(projector, 16, 3));
}

}  // namespace
}  // namespace share_data
