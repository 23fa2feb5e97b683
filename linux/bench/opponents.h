// share_data, its limit and its rival: how each is started and told of a change.
#pragma once

#include <cstdint>
#include <string>

#include "crowd.h"
#include "raw_board.h"
#include "resources.h"

namespace share_data::bench {

/// A copy of share_data. Quiet, as notes would only end up on the harness's own standard error.
[[nodiscard]] Command copy_command(const OwnKey& key);

/// The limit program in one of its roles, with the very arguments of copy_command().
[[nodiscard]] Command limit_command(const char* role, const OwnKey& key);

[[nodiscard]] Command article_command(const OwnKey& key);

/// `count` running copies of share_data that all show it.
struct Copies {
  Copies(std::uint32_t count, const StopSignals& stop);

  OwnKey key;
  Crowd crowd;
};

/// `count` processes that sleep on one futex word and write a line when it changes.
class RawWaiters {
 public:
  RawWaiters(std::uint32_t count, const StopSignals& stop);

  /// Wakes all: they show one more than before, or, the next time, one less again.
  void wake();
  [[nodiscard]] RawBoard& board() const { return *static_cast<RawBoard*>(segment_.address()); }
  [[nodiscard]] const OwnKey& key() const { return segment_.key(); }

 private:
  OwnSegment segment_;

 public:
  Crowd crowd;
};

/// `count` processes that poll the article's count, whatever they think it is.
class Article {
 public:
  Article(std::uint32_t count, const StopSignals& stop);

  /// Sets the count right, whatever it was.
  void set(std::uint32_t live);
  [[nodiscard]] const OwnKey& key() const { return segment_.key(); }

 private:
  OwnSegment segment_;

 public:
  Crowd crowd;
};

/// Time for `count` copies that have just printed a line to go back to sleep.
[[nodiscard]] std::chrono::milliseconds settling_time(std::uint32_t count);

}  // namespace share_data::bench
