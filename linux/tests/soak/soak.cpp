// Long chaos: everything that can happen to copies of the program, at random, for as long as you like.
//
//   actions.h   what is done, drawn from a seed
//   crowd.h     the copies, and what has been done to each
//   truth.h     what the lines of a copy may say
//   soak.cpp    the rounds, and what must be true after each
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "crowd.h"
#include "waiting.h"

namespace share_data::test {
namespace {

struct SoakOptions {
  double seconds = 60;
  std::uint32_t seed = std::random_device{}();
  std::size_t places = static_cast<std::size_t>(scaled(24));
  std::int64_t patience_seconds = std::chrono::seconds{patience}.count();
  std::string through = {};
  int rounds_to_list = 0;
};

/// All of it throws Wrong if the program does not do what it should.
class Soak {
 public:
  explicit Soak(const SoakOptions& options) : options_(options), key_(own_key()), crowd_(key_, options.through) {}
  Soak(Soak&&) = delete;
  ~Soak() { remove_segment(key_); }

  void run(const Round& round) {
    crowd_.note(round.text());
    for (const Action& action : round.actions) crowd_.act(action);
    const bool with_removals = round.kind == Kind::with_removals;
    for (Member* const member : crowd_.all()) {
      // A copy that was stopped before it had joined is no copy yet, and one in a removed segment counts there.
      const bool must_go_on = with_removals || !member->has_joined() || member->brief;
      if (member->stopped && must_go_on) crowd_.go_on(*member);
      if (member->unheard) crowd_.end(*member, SIGTERM);
    }
    rest();
    if (with_removals) bring_together();
    expect_truth(with_removals);
    if (round.kind == Kind::all_leave) all_leave();
    if (round.kind == Kind::all_are_killed) all_are_killed();
    if (round.kind == Kind::limit) start_many_limited(round.number);
  }

  void all_leave() {
    crowd_.start(options_.places, {});  // one that is there, or nobody could clear away what killed copies left
    rest();
    end_all(SIGTERM);
    wait_until([&] { return !segment_of(key_) && removed_segments(key_) == 0; }, "all have left, but not the segment");
  }

  [[nodiscard]] std::string history() { return crowd_.history(); }

 private:
  void wait_until(const std::function<bool()>& condition, const std::string& else_wrong) const {
    if (!eventually(condition, std::chrono::seconds{options_.patience_seconds})) throw Wrong(else_wrong);
  }

  void rest() {
    wait_until([&] { return crowd_.is_at_rest(); }, "somebody neither joins nor ends");
  }

  void end_all(int signal) {
    for (Member* const member : crowd_.all()) crowd_.end(*member, signal);
    rest();
  }

  /// After ipcrm, one that comes calls all together; that it goes again is a change like any other.
  void bring_together() {
    Member& caller = crowd_.start(options_.places, {});
    rest();
    crowd_.end(caller, SIGTERM);
    rest();
  }

  /// All that live are in one segment, which the kernel confirms; each that is not stopped shows how many they are, and
  /// knows who they are; and what all have said about those that have ended is what was done to them.
  void expect_truth(bool with_removals = false) {
    const std::vector<Member*> members = crowd_.all();
    std::set<pid_t> live;
    for (const Member* const member : members) live.insert(member->copy.pid());
    const int count = static_cast<int>(members.size());
    const auto shows_it = [&](const Member* member) {
      return member->stopped || (member->screen.live() == count && member->screen.agrees_with(live));
    };
    wait_until(
        [&] {
          crowd_.look();
          return attached_to(key_) == live.size() && removed_segments(key_) == 0 &&
                 std::ranges::all_of(members, shows_it);
        },
        fmt::format("{} are live, not all show it; {} are attached", live, attached_to(key_)));
    crowd_.fates.check(with_removals);
    expect_status(live);
    crowd_.note(fmt::format("quiet: {} are live", count));
  }

  void expect_status(const std::set<pid_t>& live) const {
    const auto answer = [&](const std::vector<std::string>& options) {
      return crowd_.launch({.options = options}).answer().output;
    };
    const std::string text = answer({"--status"});
    const std::string json = answer({"--status", "--json"});
    std::set<pid_t> listed;
    const auto object = nlohmann::json::parse(json);
    for (const auto& copy : object.at("instances")) listed.insert(copy.at("pid").get<pid_t>());
    if (listed == live && live_on(json) == live_on(text) && text.starts_with(fmt::format("{} live\n", live.size())))
      return;
    throw Wrong(fmt::format("{} are live, --status says:\n{}{}", live, text, json));
  }

  void all_are_killed() {
    end_all(SIGKILL);
    Member& fresh = crowd_.start(options_.places, {});
    rest();
    const std::string& first = fresh.copy.lines().front();
    if (live_on(first) != 1) throw Wrong("after all were killed, a fresh copy begins with: " + first);
    all_leave();
  }

  /// Many start with --max at once, one of which may be stopped meanwhile: exactly as many join as may.
  void start_many_limited(std::uint32_t number) {
    const std::size_t live = crowd_.all().size();
    const std::size_t starters = 2 + number % 12;
    const std::size_t max = 1 + number / 16 % (options_.places + 4);
    for (std::size_t i = 0; i < starters; ++i) {
      crowd_.start(options_.places + i, {"--max", std::to_string(max)}).limited = true;
    }
    if (number / 1024 % 2 == 0) {
      std::this_thread::sleep_for(std::chrono::microseconds{number / 2048 % 8192});
      if (Member* const starter = crowd_.at(options_.places)) crowd_.stop(*starter);
      rest();
      if (Member* const starter = crowd_.at(options_.places)) crowd_.go_on(*starter);  // else it was refused before
    }
    rest();
    const std::size_t joined = crowd_.all().size() - live;
    if (joined != (max > live ? std::min(max - live, starters) : 0)) {
      throw Wrong(fmt::format("{} were live, {} started with --max {}, {} joined", live, starters, max, joined));
    }
    expect_truth();
    for (Member* const member : crowd_.all()) {
      if (member->place >= options_.places) crowd_.end(*member, SIGTERM);
    }
    rest();
    expect_truth();
  }

  SoakOptions options_;
  key_t key_;
  Crowd crowd_;
};

bool run(const SoakOptions& options) {
  std::cout << fmt::format("linux_soak --seed {} --copies {} --for {}", options.seed, options.places, options.seconds)
            << std::endl;  // at once: whoever interrupts us wants to know it too
  Soak soak{options};
  Plan plan{options.seed, options.places};
  int rounds = 0;
  try {
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>{options.seconds};
    for (; std::chrono::steady_clock::now() < end; ++rounds) soak.run(plan.next());
    soak.all_leave();
  } catch (const std::exception& wrong) {
    std::cout << soak.history()
              << fmt::format("Wrong in round {} of seed {}: {}\n", rounds, options.seed, wrong.what());
    return false;
  }
  std::cout << rounds << " rounds, and the truth after each" << std::endl;
  return !testing::UnitTest::GetInstance()->Failed();  // what the sanitizers have to say of a copy
}

int run_program(int argc, char** argv) {
  setenv("TZ", "UTC0", 1);  // NOLINT(concurrency-mt-unsafe): one thread. JSON lines are in UTC, text lines follow TZ
  // LeakSanitizer stops a process that ends, and waits forever if SIGCONT comes just then.
  setenv("ASAN_OPTIONS", "detect_leaks=0", 1);  // NOLINT(concurrency-mt-unsafe)
  SoakOptions options;
  CLI::App app{
      "Does all that can happen to copies of share_data, at random, and compares what they say with the truth.",
      "linux_soak"};
  app.add_option("--for", options.seconds, "How long, in seconds; there is no upper limit")
      ->envname("SHARE_DATA_SOAK_SECONDS");
  app.add_option("--seed", options.seed, "The same seed gives the same actions; a new one by default")
      ->envname("SHARE_DATA_TEST_SEED");
  // Each of up to 127 copies watches all others. Of more, a death may be seen late if all who watch are stopped.
  app.add_option("--copies", options.places, "How many at most, but for a few more under --max")
      ->check(CLI::Range(1, 100));
  app.add_option("--patience", options.patience_seconds, "How long the truth may take, in seconds");
  app.add_option("--through", options.through, "Start each copy through this command");
  app.add_option("--list", options.rounds_to_list, "Only print the actions of so many rounds");
  CLI11_PARSE(app, argc, argv);
  if (options.rounds_to_list == 0) return run(options) ? EXIT_SUCCESS : EXIT_FAILURE;
  Plan plan{options.seed, options.places};
  for (int i = 0; i < options.rounds_to_list; ++i) {
    const Round round = plan.next();
    std::cout << round.text() << "\n";
    for (const Action& action : round.actions) std::cout << "  " << action.text() << "\n";
  }
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace share_data::test

int main(int argc, char** argv) {
  int own_name_only = 1;  // GoogleTest is here for its assertions; the options are ours
  testing::InitGoogleTest(&own_name_only, argv);
  return share_data::test::run_program(argc, argv);
}
