// What copies cost while nothing happens.
#include <fmt/format.h>

#include "opponents.h"
#include "rows.h"

namespace share_data::bench {
namespace {

struct Cost {
  double wake_ups;        ///< of all copies, in the whole time
  Microseconds cpu_time;  ///< the same
};

class Meter {
 public:
  explicit Meter(const Crowd& crowd) : crowd_(crowd), before_(usage_of(crowd.pids())) {}

  [[nodiscard]] Cost read() const {
    const Usage now = usage_of(crowd_.pids());
    return {static_cast<double>(now.wake_ups - before_.wake_ups),
            std::chrono::nanoseconds{now.cpu_nanoseconds - before_.cpu_nanoseconds}};
  }

 private:
  const Crowd& crowd_;
  Usage before_;
};

std::string text(const Cost& cost) {
  return fmt::format("{:.0f} wake-ups, {} CPU", cost.wake_ups, text_of(cost.cpu_time));
}

}  // namespace

void idle(const Bench& bench) {
  const std::uint32_t n = bench.scale.idle_copies;
  Copies copies{n, bench.stop};
  RawWaiters waiters{n, bench.stop};
  Article article{n, bench.stop};
  article.set(n);
  pause_for(std::chrono::seconds{1}, bench.stop);
  const Meter of_copies{copies.crowd};
  const Meter of_waiters{waiters.crowd};
  const Meter of_article{article.crowd};
  pause_for(bench.scale.idle_time, bench.stop);
  const Cost cost = of_copies.read();
  bench.report.add({.what = fmt::format("{} idle copies, {}", n, text_of(bench.scale.idle_time)),
                    .measured = text(cost),
                    .limit = text(of_waiters.read()),
                    .ratio = cost.wake_ups,
                    .goal = 0,
                    .article = text(of_article.read())});
}

}  // namespace share_data::bench
