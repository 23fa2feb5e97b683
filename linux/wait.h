// How a copy sleeps until there is something to do: without a timeout, so it costs nothing; on kernels before
// 5.16, it polls. futex(2), futex_waitv(2).
#pragma once

#include <cstdint>

#include "log.h"
#include "table.h"

namespace share_data {

/// Sleeps until somebody changes `changes`, a request to leave is made, or the kernel marks the words of a copy
/// that died; `own` is our own slot. It may return early. What has happened is for the next look to find out: a
/// wake by one word does not say what became of the others. Throws Failure.
void wait_for_change(const Table& table, const View& view, std::uint32_t own, const Log& log);

/// Lets changes add up for a moment before the next line, unless a request to leave comes. The cost of a line on
/// every screen grows with the number of screens; so does this pause, and N copies cost each other N lines, not N².
void cool_down(std::uint32_t live);

}  // namespace share_data
