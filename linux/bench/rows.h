// The rows of the table.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

#include "report.h"

namespace share_data::bench {

/// How much is measured.
struct Scale {
  std::vector<std::uint32_t> crowds;  ///< how many copies
  int rounds;                         ///< for up to 64 copies; fewer if there are more
  std::uint32_t idle_copies;
  std::chrono::milliseconds idle_time;
  std::uint32_t mass;  ///< copies that start at once, and a quarter of it beside
  int mass_rounds;
  int single_rounds;
};

struct Bench {
  const Scale& scale;
  Report& report;

  [[nodiscard]] int rounds(std::uint32_t copies) const {
    return copies <= 64 ? scale.rounds : std::max(1, scale.rounds / 2);
  }
};

void first_line(const Bench& bench);   ///< one copy starts, until its first line
void one_started(const Bench& bench);  ///< one more copy starts, until all show it
void one_killed(const Bench& bench);   ///< one copy is killed, until all show it
void mass_start(const Bench& bench);   ///< many start at once, until all show all
void memory(const Bench& bench);       ///< private memory of one copy
void idle(const Bench& bench);         ///< what copies cost while nothing happens

}  // namespace share_data::bench
