// Where the windows of several copies go, so that all of them can be seen at once.
#pragma once

#include <algorithm>

namespace share_data {

/// In pixels of the screen.
struct Area {
  int left = 0;
  int top = 0;
  int width = 0;
  int height = 0;

  friend bool operator==(const Area&, const Area&) = default;
};

/// Sixteen windows share the lines of a screen well; of more, nobody could read a word.
inline constexpr int most_cells = 16;

/// The place of window `index`, counted from 0, of `count` that fill `screen` in rows. There are as many in a
/// row as rows, or one more; the last row has what is left. From the seventeenth on they lie over the first.
[[nodiscard]] constexpr Area cell(const Area& screen, int count, int index) {
  const int cells = std::clamp(count, 1, most_cells);
  int in_a_row = 1;
  while (in_a_row * in_a_row < cells) ++in_a_row;
  const int rows = (cells + in_a_row - 1) / in_a_row;
  const int row = index % cells / in_a_row;
  const int column = index % cells % in_a_row;
  const int columns = std::min(in_a_row, cells - row * in_a_row);
  const int left = screen.width * column / columns;
  const int top = screen.height * row / rows;
  return {.left = screen.left + left,
          .top = screen.top + top,
          .width = screen.width * (column + 1) / columns - left,
          .height = screen.height * (row + 1) / rows - top};
}

}  // namespace share_data
