// share_data, its limit, and the article's way: how each is started and told of a change.
#pragma once

#include <cstdint>

#include "crowd.h"
#include "limit.h"
#include "resources.h"

namespace share_data::bench {

/// A copy of share_data. Quiet, as notes would only end up on the harness's own standard error.
[[nodiscard]] Command copy_command(const OwnKey& key);

/// The limit program in one of its roles, with the very arguments of copy_command().
[[nodiscard]] Command limit_command(const char* role, const OwnKey& key);

[[nodiscard]] Command article_command(const OwnKey& key);

/// `count` running copies of share_data that all show it.
struct Copies {
  explicit Copies(std::uint32_t count);

  OwnKey key;
  Crowd crowd;
};

/// `count` processes that sleep on one futex word and write a line when it changes.
struct RawWaiters {
  explicit RawWaiters(std::uint32_t count);

  [[nodiscard]] RawBoard& board() const { return *static_cast<RawBoard*>(segment.address()); }

  /// After one change, wakes all again: they show the count from before.
  void reset();

  OwnSegment segment;
  Crowd crowd;
};

/// `count` processes that poll the article's count, whatever they think it is.
struct Article {
  explicit Article(std::uint32_t count);

  /// Sets the count right, whatever it was.
  void set(std::uint32_t live);

  OwnSegment segment;
  Crowd crowd;
};

/// Waits until `count` processes that have just printed a line are asleep again.
void settle(std::uint32_t count);

}  // namespace share_data::bench
