// Measures share_data for Windows against the least that the system could take for the same, in the same run and in
// turns. Prints a table in Markdown on standard output. With --calls TRACE it counts calls of the system instead.
//
//   crowd.h         starts processes, and reads and times what they write
//   limit.cpp       the limit: a program of its own
//   calls.h         counts calls in a trace of wineserver
//   traced_wine.sh  makes such a trace
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <io.h>
#include <windows.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "calls.h"
#include "crowd.h"
#include "win32.h"

namespace share_data::bench {
namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;

/// How much is measured.
struct Scale {
  std::vector<std::uint32_t> crowds;
  int rounds;
  int mass_rounds;
  std::vector<std::uint32_t> traced_crowds;
  int traced_rounds;
};

const Scale full{
    .crowds = {2, 8, 32}, .rounds = 21, .mass_rounds = 7, .traced_crowds = {2, 8, 32, 64}, .traced_rounds = 5};
const Scale quick{.crowds = {2, 8}, .rounds = 1, .mass_rounds = 1, .traced_crowds = {2, 12}, .traced_rounds = 1};

/// Starts a program that the build knows. Under Wine its Unix path becomes one of drive Z: here.
std::wstring command_line(const char* program, const std::wstring& arguments) {
  return L"\"" + std::filesystem::absolute(program).make_preferred().wstring() + L"\" " + arguments;
}

std::wstring unique_name() {
  static int count = 0;
  return L"share_data_bench-" + std::to_wstring(GetCurrentProcessId()) + L"-" + std::to_wstring(++count);
}

/// The copies that are started with the same `name` count together.
std::wstring copy_command(const std::wstring& name, const std::wstring& options = L"") {
  return command_line(SHARE_DATA_EXE, L"--quiet --via mapping --name " + name + options);
}

std::wstring limit_command(const std::wstring& arguments) { return command_line(LIMIT_EXE, arguments); }

/// Lets processes that have just printed a line fall asleep again.
void settle(std::uint32_t count) { Sleep(100 + 4 * count); }

/// Running copies that all show their number.
struct Copies {
  explicit Copies(std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) crowd.start(copy_command(name));
    crowd.wait_for(count);
  }

  std::wstring name = unique_name();
  Crowd crowd;
};

/// Processes that wait for one event and print a line when it is set.
struct Waiters {
  explicit Waiters(std::uint32_t count) : number(count) {
    const std::wstring command = limit_command(L"wait " + name + L" " + std::to_wstring(count));
    for (std::uint32_t i = 0; i < count; ++i) crowd.start(command);
    crowd.wait_for(count);
  }

  /// After the first event, sets the second one: they wait for the first one again, and show what they did before.
  void reset() const {
    ResetEvent(first.get());
    SetEvent(second.get());
    crowd.wait_for(number);
    ResetEvent(second.get());
  }

  std::uint32_t number;
  std::wstring name = unique_name();
  Handle first{CreateEventW(nullptr, TRUE, FALSE, (name + L"-0").c_str())};
  Handle second{CreateEventW(nullptr, TRUE, FALSE, (name + L"-1").c_str())};
  Crowd crowd;
};

Milliseconds start_copy(const Copies& copies, std::uint32_t n) {
  Milliseconds taken{};
  {
    settle(n);
    const auto start = Clock::now();
    const Process newcomer{copy_command(copies.name)};
    taken = copies.crowd.wait_for(n + 1) - start;
    (void)newcomer.wait_for(n + 1);
  }
  copies.crowd.wait_for(n);
  return taken;
}

Milliseconds start_setter(const Waiters& waiters, std::uint32_t n) {
  settle(n);
  const auto start = Clock::now();
  const Process newcomer{limit_command(L"set " + waiters.name)};
  const Milliseconds taken = waiters.crowd.wait_for(n + 1) - start;
  (void)newcomer.wait_for(1);
  waiters.reset();
  return taken;
}

Milliseconds terminate_copy(const Copies& copies, std::uint32_t n) {
  const Process victim{copy_command(copies.name)};
  (void)victim.wait_for(n + 1);
  copies.crowd.wait_for(n + 1);
  settle(n);
  const auto start = Clock::now();
  victim.terminate();
  return copies.crowd.wait_for(n) - start;
}

/// The victim is a copy that is alone, so that the same thing dies.
Milliseconds terminate_watched(const Waiters& waiters, std::uint32_t n) {
  const Process victim{copy_command(unique_name())};
  (void)victim.wait_for(1);
  const Process watcher{limit_command(L"watch " + waiters.name + L" " + std::to_wstring(victim.pid()))};
  (void)watcher.wait_for(1);
  settle(n);
  const auto start = Clock::now();
  victim.terminate();
  const Milliseconds taken = waiters.crowd.wait_for(n + 1) - start;
  waiters.reset();
  return taken;
}

/// Starts `count` at once, until all of them show `live`.
Milliseconds start_all(const std::wstring& command, std::uint32_t count, std::uint32_t live) {
  settle(count);
  Crowd crowd;
  const auto start = Clock::now();
  for (std::uint32_t i = 0; i < count; ++i) crowd.start(command);
  return crowd.wait_for(live) - start;
}

/// Of the sorted times, the one that the share `q` of all do not exceed.
double quantile(const std::vector<double>& sorted, double q) {
  return sorted[static_cast<std::size_t>(std::ceil(q * static_cast<double>(sorted.size()))) - 1];
}

/// `43 ms`, `1.37 s`
std::string text_of(double ms) {
  return ms < 999.5 ? fmt::format("{:.3g} ms", ms) : fmt::format("{:.2f} s", ms / 1000);
}

std::string text_of(const std::vector<double>& sorted) {
  return fmt::format("{} (p90 {})", text_of(quantile(sorted, 0.5)), text_of(quantile(sorted, 0.9)));
}

/// Measures both in turns, and prints a row.
void compare(const std::string& what, int rounds, const std::function<Milliseconds()>& copies,
             const std::function<Milliseconds()>& limit) {
  std::vector<double> measured;
  std::vector<double> least;
  for (int round = 0; round < rounds; ++round) {
    measured.push_back(copies().count());
    least.push_back(limit().count());
  }
  std::ranges::sort(measured);
  std::ranges::sort(least);
  fmt::print("| {} | {} | {} | {:.2f} |\n", what, text_of(measured), text_of(least),
             quantile(measured, 0.5) / quantile(least, 0.5));
}

/// `2 cores, under Wine 8.0`
std::string describe_machine() {
  void* const found = reinterpret_cast<void*>(GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version"));
  const auto version = reinterpret_cast<const char* (*)()>(found);
  return fmt::format("{} cores, {}", std::thread::hardware_concurrency(),
                     version != nullptr ? fmt::format("under Wine {}", version()) : "Windows");
}

void measure_times(const Scale& scale) {
  fmt::print("{}\n\n| | share_data | limit | ratio |\n|---|---|---|---|\n", describe_machine());
  compare(
      "start → first line", scale.rounds, [] { return start_all(copy_command(unique_name()), 1, 1); },
      [] { return start_all(limit_command(L"print"), 1, 1); });
  for (const std::uint32_t n : scale.crowds) {
    const Copies copies{n};
    const Waiters waiters{n};
    compare(
        fmt::format("one is started → last of {} lines", n), scale.rounds, [&] { return start_copy(copies, n); },
        [&] { return start_setter(waiters, n); });
    compare(
        fmt::format("one is terminated → last of {} lines", n), scale.rounds, [&] { return terminate_copy(copies, n); },
        [&] { return terminate_watched(waiters, n); });
  }
  for (const std::uint32_t n : scale.crowds) {
    compare(
        fmt::format("{} started at once → all show all", n), scale.mass_rounds,
        [&] { return start_all(copy_command(unique_name()), n, n); },
        [&] { return start_all(limit_command(L"print"), n, 1); });
  }
}

/// Of one kind of change: for each number of copies, what each round has counted.
using Counted = std::vector<std::vector<Calls>>;

using Number = unsigned(Calls::*);

unsigned median(std::vector<Calls> rounds, Number calls) {
  std::ranges::sort(rounds, {}, calls);
  return rounds[rounds.size() / 2].*calls;
}

void print_calls(const std::string& what, const Counted& counted) {
  const auto print = [&](const char* who, Number calls) {
    fmt::print("| {}: {} |", what, who);
    for (const auto& rounds : counted) fmt::print(" {} |", median(rounds, calls));
    fmt::print("\n");
  };
  print("to tell everybody", &Calls::to_tell);
  print("whoever tells, until it sleeps", &Calls::teller);
  print("all copies together", &Calls::all);
}

/// Waits until all show `live` and sleep again.
Calls calls_until(std::uint32_t live, const Trace& trace, const Copies& copies, const Process* newcomer = nullptr) {
  copies.crowd.wait_for(live);
  if (newcomer != nullptr) (void)newcomer->wait_for(live);
  settle(5 * live);
  return trace.calls(copies.crowd, newcomer);
}

void count_calls(const Scale& scale, Trace trace) {
  Counted joins(scale.traced_crowds.size());
  Counted leaves = joins;
  Counted kills = joins;
  for (std::size_t i = 0; i < joins.size(); ++i) {
    const std::uint32_t n = scale.traced_crowds[i];
    const Copies copies{n};
    for (int round = 0; round < scale.traced_rounds; ++round) {
      settle(5 * n);
      trace.begin();
      const Process victim{copy_command(copies.name)};
      joins[i].push_back(calls_until(n + 1, trace, copies, &victim));
      trace.begin();
      victim.terminate();
      kills[i].push_back(calls_until(n, trace, copies));
      const Process leaver{copy_command(copies.name, L" --for 3")};
      copies.crowd.wait_for(n + 1);
      settle(5 * n);
      trace.begin();
      leaves[i].push_back(calls_until(n, trace, copies));
    }
    if (median(joins[i], &Calls::to_tell) != median(joins[0], &Calls::to_tell)) {
      throw std::runtime_error("how many calls it takes to tell everybody depends on how many they are");
    }
  }
  fmt::print("| calls of the system | N = {} |\n|---|", fmt::join(scale.traced_crowds, " | N = "));
  for (std::size_t i = 0; i < joins.size(); ++i) fmt::print("---|");
  fmt::print("\n");
  print_calls("one joins", joins);
  print_calls("one leaves", leaves);
  print_calls("one is terminated", kills);
}

}  // namespace
}  // namespace share_data::bench

int main(int argc, char** argv) {
  using namespace share_data::bench;
  CLI::App app{"Measures share_data against the least that the system could take for the same", "share_data_bench"};
  bool is_quick = false;
  std::string trace;
  app.add_flag("--quick", is_quick, "Few copies and rounds: shows that all counts are right; the times mean nothing");
  app.add_option("--calls", trace, "Count calls of the system in TRACE, which wineserver -d writes")
      ->type_name("TRACE");
  CLI11_PARSE(app, argc, argv);
  try {
    _setmode(_fileno(stdout), _O_BINARY);
    const Scale& scale = is_quick ? quick : full;
    trace.empty() ? measure_times(scale) : count_calls(scale, Trace{std::filesystem::absolute(trace)});
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "share_data_bench: {}\n", error.what());
    return 1;
  }
}
