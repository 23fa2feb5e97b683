// Measures what share_data costs: in the same run, and in turns, with the least that the system could take for the same
// (the baseline program; a pidfd) and with the article's way. Prints medians, which scripts/bench.sh makes a table of.
//
// With --quick, few copies and rounds: shows that all counts are right; the times mean nothing.
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <fstream>
#include <string>

#include "baseline.h"
#include "crowd.h"

namespace share_data::bench {
namespace {

using namespace std::chrono_literals;

constexpr Program share_data{SHARE_DATA_PROGRAM, "share_data"};
constexpr Program article_way{BASELINE_PROGRAM, "article"};
constexpr Program baseline(const char* role) { return {BASELINE_PROGRAM, role}; }

/// `n` copies of share_data.
struct Copies {
  explicit Copies(std::uint32_t n) : crowd{share_data, key} {
    crowd.start(n);
    crowd.wait_for(n);
  }
  Key key;
  Crowd crowd;
};

/// `n` processes that wait for one futex. They say "1 live" until somebody notifies, and then "2 live".
struct Waiters {
  explicit Waiters(std::uint32_t n) : crowd{baseline("wait"), key} {
    crowd.start(n);
    crowd.wait_for(1);
  }
  void reset() {
    notify(board);
    crowd.wait_for(1);
  }
  Key key;
  Board& board = attach(key.value);
  Crowd crowd;
};

/// `n` copies of the article's program, started one by one: of two at once, one may not be counted.
struct Article {
  explicit Article(std::uint32_t n) : crowd{article_way, key} {
    while (crowd.size() < n) {
      crowd.start(1);
      crowd.wait_for(crowd.size());
    }
  }
  Key key;
  Crowd crowd;
};

/// What each takes in each round: microseconds, or how often it is woken.
struct Row {
  std::vector<double> share_data, baseline, pidfd, article;
  int article_wrong = 0;  ///< rounds after which its count was not right

  template <class Measure>
  void add_article(Measure measure) {
    try {
      article.push_back(measure());
    } catch (const WrongCount&) {
      ++article_wrong;
    }
  }
};

std::string median(std::vector<double> samples) {
  if (samples.empty()) return "-";
  std::ranges::sort(samples);
  return fmt::format("{:.0f}", samples[samples.size() / 2]);
}

void print(const char* what, std::uint32_t n, const Row& row) {
  fmt::print("{} {} {} {} {} {} {}/{}\n", what, n, median(row.share_data), median(row.baseline), median(row.pidfd),
             median(row.article), row.article_wrong, row.article.size() + static_cast<std::size_t>(row.article_wrong));
  (void)std::fflush(stdout);
}

/// Waits until so many processes, which have just written a line, sleep again.
void settle(std::uint32_t count) { pause_for(80ms + count / 4 * 1ms); }

/// From the start of `n` processes until all of them show `live`.
double start_all(const Program& program, const Key& key, std::uint32_t n, std::uint32_t live,
                 Milliseconds patience = 60s) {
  settle(1);
  Crowd crowd{program, key};
  const auto start = Clock::now();
  crowd.start(n);
  return crowd.wait_for(live, start, patience);
}

Row all_started(std::uint32_t n, int rounds) {
  Row row;
  for (int round = 0; round < rounds; ++round) {
    const Key key;
    const Key article_key;
    row.share_data.push_back(start_all(share_data, key, n, n));
    row.baseline.push_back(start_all(baseline("print"), key, n, 1));
    row.add_article([&] { return start_all(article_way, article_key, n, n, 3s); });
  }
  return row;
}

/// From the start of one more process until all `others` show `live`.
double start_one(const Program& program, const Key& key, Crowd& others, std::uint32_t live) {
  settle(others.size());
  Crowd newcomer{program, key};
  const auto start = Clock::now();
  newcomer.start(1);
  const double taken = others.wait_for(live, start);
  newcomer.end(SIGTERM);
  return taken;
}

Row one_started(std::uint32_t n, int rounds) {
  Row row;
  {
    Copies copies{n};
    Waiters waiters{n};
    for (int round = 0; round < rounds; ++round) {
      row.share_data.push_back(start_one(share_data, copies.key, copies.crowd, n + 1));
      copies.crowd.wait_for(n);
      row.baseline.push_back(start_one(baseline("start"), waiters.key, waiters.crowd, 2));
      waiters.reset();
    }
  }
  Article article{n};  // by itself, because it never sleeps for long
  for (int round = 0; round < rounds; ++round) {
    row.article.push_back(start_one(article_way, article.key, article.crowd, n + 1));
    article.crowd.wait_for(n);
  }
  return row;
}

/// From the kill of `victim` until all `others` show `live`.
double kill_one(const Crowd& victim, Crowd& others, std::uint32_t live, Milliseconds patience = 60s) {
  settle(others.size());
  const auto start = Clock::now();
  victim.send(SIGKILL);
  return others.wait_for(live, start, patience);
}

/// One process watches the victim, and notifies the waiters.
double kill_watched(const Program& program, const Key& key, Waiters& waiters, const char* watch) {
  Crowd victim{program, key};
  victim.start(1);
  victim.wait_for(1);
  waiters.board.owner = static_cast<std::uint32_t>(victim.pids().front()) | FUTEX_WAITERS;
  Crowd watcher{baseline(watch), waiters.key};
  watcher.start(1);
  watcher.wait_for(1);
  const double taken = kill_one(victim, waiters.crowd, 2);
  waiters.reset();
  return taken;
}

Row one_killed(std::uint32_t n, int rounds) {
  Row row;
  {
    Copies copies{n};
    Waiters waiters{n};
    for (int round = 0; round < rounds; ++round) {
      Crowd victim{share_data, copies.key};
      victim.start(1);
      copies.crowd.wait_for(n + 1);
      row.share_data.push_back(kill_one(victim, copies.crowd, n));
      row.baseline.push_back(kill_watched(baseline("own"), waiters.key, waiters, "watch-mark"));
      const Key key;  // the victim counts alone: the same program ends, and nobody else notices
      row.pidfd.push_back(kill_watched(share_data, key, waiters, "watch-pidfd"));
    }
  }
  Article article{n};
  for (int round = 0; round <= rounds / 4; ++round) {
    Crowd victim{article_way, article.key};
    victim.start(1);
    article.crowd.wait_for(n + 1 + static_cast<std::uint32_t>(round));  // all victims before are still in it
    row.add_article([&] { return kill_one(victim, article.crowd, n, 500ms); });
  }
  return row;
}

/// How often all processes of a crowd together have slept, which is how often they were woken (proc_pid_status(5)).
std::uint64_t wake_ups(const Crowd& crowd) {
  std::uint64_t sum = 0;
  for (const pid_t pid : crowd.pids()) {
    std::ifstream status{fmt::format("/proc/{}/status", pid)};
    std::string word;
    while (status >> word && word != "voluntary_ctxt_switches:") continue;
    std::uint64_t times = 0;
    status >> times;
    sum += times;
  }
  return sum;
}

Row idle(std::uint32_t n, Milliseconds time) {
  const Copies copies{n};
  const Waiters waiters{n};
  const Article article{n};
  settle(4000);
  const auto measure = [=](const Crowd& crowd) {
    const auto before = wake_ups(crowd);
    pause_for(time);
    return static_cast<double>(wake_ups(crowd) - before);
  };
  return {{measure(copies.crowd)}, {measure(waiters.crowd)}, {}, {measure(article.crowd)}};
}

void run(bool quick) {
  fmt::print("# medians; microseconds, or wake-ups\n# what copies share_data baseline pidfd article article-wrong\n");
  const auto rounds = [=](std::uint32_t n) {
    if (quick) return 3;
    if (n == 1) return 200;
    return n <= 64 ? 31 : 15;
  };
  const auto crowds = quick ? std::vector{2U, 8U} : std::vector{2U, 8U, 64U, 256U, 1000U};
  const std::uint32_t at_once = quick ? 32 : 1000;
  const std::uint32_t idling = quick ? 8 : 256;
  print("first-line", 1, all_started(1, rounds(1)));
  for (const std::uint32_t n : crowds) print("started", n, one_started(n, rounds(n)));
  for (const std::uint32_t n : crowds) print("killed", n, one_killed(n, rounds(n)));
  print("at-once", at_once, all_started(at_once, rounds(at_once)));
  print("idle", idling, idle(idling, quick ? 500ms : 10s));
}

}  // namespace
}  // namespace share_data::bench

int main(int argc, char** argv) {
  using namespace share_data::bench;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE})
    (void)std::signal(signal, [](int) { stop_requested = 1; });
  try {
    run(argc > 1 && std::string_view{argv[1]} == "--quick");
  } catch (const std::exception& error) {
    fmt::print(stderr, "share_data_bench: {}\n", error.what());
    return 1;
  }
}
