// What copies cost while nothing happens.
//
// The limit: processes that sleep on a futex.
#include <fmt/format.h>

#include "opponents.h"
#include "rows.h"

namespace share_data::bench {
namespace {

/// What the processes of a crowd have used since this object was made.
class Meter {
 public:
  explicit Meter(const Crowd& crowd) : crowd_(crowd), before_(usage_of(crowd.pids())) {}

  [[nodiscard]] Usage read() const {
    const Usage now = usage_of(crowd_.pids());
    return {now.wake_ups - before_.wake_ups, now.cpu_time - before_.cpu_time};
  }

 private:
  const Crowd& crowd_;
  Usage before_;
};

std::string text(const Usage& usage) {
  return fmt::format("{} wake-ups, {} CPU", usage.wake_ups, text_of(usage.cpu_time));
}

}  // namespace

void idle(const Bench& bench) {
  const std::uint32_t n = bench.scale.idle_copies;
  Copies copies{n};
  RawWaiters waiters{n};
  Article article{n};
  article.set(n);
  pause_for(std::chrono::seconds{1});
  const Meter of_copies{copies.crowd};
  const Meter of_waiters{waiters.crowd};
  const Meter of_article{article.crowd};
  pause_for(bench.scale.idle_time);
  const Usage usage = of_copies.read();
  bench.report.add({.what = fmt::format("{} idle copies for {}", n, text_of(bench.scale.idle_time)),
                    .measured = text(usage),
                    .limit = text(of_waiters.read()),
                    .goal = goal_text(static_cast<double>(usage.wake_ups), 0, " wake-ups"),
                    .article = text(of_article.read())});
}

}  // namespace share_data::bench
