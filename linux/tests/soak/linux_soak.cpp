// Long chaos: everything that can happen to copies of the program, at random, for as long as you like.
//
//   plan.h      what is done, drawn from a seed
//   soak.h      the rounds, and what must be true after each
//   crowd.h     the copies
//   vandal.h    somebody who writes into the segment
//   history.h   what has happened, printed when something is wrong
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "soak.h"

namespace share_data::test {
namespace {

using std::chrono::steady_clock;

constexpr auto description =
    R"(Starts, stops, kills and deceives copies of share_data at random, and compares what they show with the truth
at every quiet point. Ends with 1, and the history of the last seconds, at the first thing that is wrong.

Examples:
  linux_soak --for 7200              two hours
  linux_soak --seed 42               the actions of an earlier run
  linux_soak --seed 42 --list 3      what its first three rounds would do
)";

void list(Plan plan, int rounds) {
  for (int i = 0; i < rounds; ++i) {
    const Round round = plan.next();
    std::cout << described(round) << ", " << round.number << "\n";
    for (const Action& action : round.actions) std::cout << "  " << described(action) << "\n";
  }
}

bool run(const SoakOptions& options) {
  std::cout << fmt::format("linux_soak --seed {} --copies {} --for {}", options.seed, options.places,
                           options.seconds)
            << std::endl;  // at once: whoever interrupts us wants to know it too
  History history;
  Soak soak{options, history};
  Plan plan{options.seed, options.places};
  int rounds = 0;
  std::size_t actions = 0;
  try {
    for (const auto end = steady_clock::now() + std::chrono::duration<double>{options.seconds};
         steady_clock::now() < end; ++rounds) {
      const Round round = plan.next();
      soak.run(round);
      actions += round.actions.size();
    }
    soak.finish();
  } catch (const Wrong& wrong) {
    std::cout << "Wrong in round " << rounds << " of seed " << options.seed << ": " << wrong.what() << "\n";
    for (const std::string& line : history.in_order()) std::cout << "  " << line << "\n";
    std::cout << "What those who still run wrote to standard error:\n" << soak.notes();
    return false;
  }
  std::cout << fmt::format("{} rounds, {} actions, and the truth after each round", rounds, actions) << std::endl;
  return true;
}

void declare(CLI::App& app, SoakOptions& options, int& rounds_to_list) {
  app.add_option("--for", options.seconds, "How long, in seconds; there is no upper limit")
      ->envname("SHARE_DATA_SOAK_SECONDS")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--seed", options.seed, "The same seed gives the same actions; a new one by default")
      ->envname("SHARE_DATA_TEST_SEED");
  // Each of up to 127 copies watches all others. Of more, a death may be seen late if all who watch are stopped.
  app.add_option("--copies", options.places, "How many at most, but for a few more under --max")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--patience", options.patience_seconds, "How long the truth may take, in seconds")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--through", options.through, "Start each copy through this command")->type_name("COMMAND");
  app.add_option("--list", rounds_to_list, "Only print the actions of so many rounds")->type_name("ROUNDS");
}

int run_program(int argc, char** argv) {
  setenv("TZ", "UTC0", 1);  // NOLINT(concurrency-mt-unsafe): one thread. JSON lines are in UTC, text lines follow TZ
  SoakOptions options;
  int rounds_to_list = 0;
  CLI::App app{description, "linux_soak"};
  declare(app, options, rounds_to_list);
  CLI11_PARSE(app, argc, argv);
  if (rounds_to_list > 0) {
    list(Plan{options.seed, options.places}, rounds_to_list);
    return EXIT_SUCCESS;
  }
  const bool right = run(options);
  // What the sanitizers have to say of a copy is a failure of GoogleTest's.
  return right && !testing::UnitTest::GetInstance()->Failed() ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace share_data::test

int main(int argc, char** argv) {
  // LeakSanitizer stops a process that ends, to look through its memory, and waits forever if SIGCONT comes just then.
  setenv("ASAN_OPTIONS", "detect_leaks=0", 1);  // NOLINT(concurrency-mt-unsafe): one thread
  int own_name_only = 1;                        // GoogleTest is here for its assertions; the options are ours
  testing::InitGoogleTest(&own_name_only, argv);
  return share_data::test::run_program(argc, argv);
}
