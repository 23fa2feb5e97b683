// Long chaos: everything that can happen to copies of the program, at random, for as long as you like. Now and then all
// rest; then the kernel and every copy must agree with what was done.
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <deque>
#include <iostream>
#include <list>
#include <random>

#include <fmt/ranges.h>

#include "kernel_view.h"
#include "log.h"
#include "truth.h"

namespace share_data::test {
namespace {

// Each of up to 127 copies watches all others. Of more, a death may be seen late if all who watch are stopped.
constexpr std::uint32_t places = scaled(24);

struct Options {
  double seconds = 60;
  std::uint32_t seed = std::random_device{}();
  std::int64_t patience_seconds = std::chrono::seconds{patience}.count();
  std::string through = {};
  int actions_to_list = 0;
};

/// All of it throws Wrong if the program does not do what it should.
class Soak {
 public:
  explicit Soak(const Options& options) : options_(options), key_(own_key()) {}
  Soak(Soak&&) = delete;
  ~Soak() { remove_segment(key_); }

  // What can be done to the copy at one place, or to all. `number` says how exactly: which options, how long.

  void start_one(std::uint32_t place, std::uint32_t number) {
    const std::uint32_t amount = number / 1024;
    if (at(place) != nullptr) return;
    if (number / 128 % 8 == 0) {
      start(place, number, {"--for", fmt::format("{:.3f}", 0.001 * (1 + amount % 300))}).brief = true;
    } else if (number / 128 % 8 == 1) {
      start(place, number, {"--max", std::to_string(1 + amount % 30)}).limited = true;
    } else {
      start(place, number);
    }
  }

  void end_one(std::uint32_t place, std::uint32_t number) {
    constexpr std::array signals{SIGKILL, SIGKILL, SIGKILL, SIGTERM, SIGTERM, SIGTERM, SIGINT, SIGHUP};
    if (Member* const member = at(place)) end(*member, signals.at(number % signals.size()));
  }

  void stop_or_go_on(std::uint32_t place, std::uint32_t /*number*/) {
    if (Member* const member = at(place)) set_stopped(*member, !member->stopped);
  }

  void remove(std::uint32_t /*place*/, std::uint32_t /*number*/) {
    was_removed_ |= remove_segment(key_);
    note("ipcrm");
  }

  /// Of no importance for what is true: it lets things meet in other ways.
  void pause(std::uint32_t /*place*/, std::uint32_t number) {
    std::this_thread::sleep_for(std::chrono::microseconds{number % 20'000});
  }

  /// Lets all rest. All that live are in one segment, which the kernel confirms; each that is not stopped shows how
  /// many they are, and knows who they are; and what all have said about those that have ended is what was done to
  /// them.
  void expect_truth(std::uint32_t /*place*/ = 0, std::uint32_t /*number*/ = 0) {
    for (Member* const member : all()) {
      // A copy that was stopped before it had joined is no copy yet, and one in a removed segment counts there.
      const bool must_go_on = was_removed_ || !member->has_joined() || member->brief;
      if (member->stopped && must_go_on) set_stopped(*member, false);
    }
    rest();
    if (was_removed_) {  // one that comes calls all together; that it goes again is a change like any other
      Member& caller = start(places, 0);
      rest();
      end(caller, SIGTERM);
      rest();
    }
    const std::vector<Member*> members = all();
    std::set<pid_t> live;
    for (const Member* const member : members) live.insert(member->copy.pid());
    const auto shows_it = [&](const Member* member) {
      return member->stopped ||
             (member->screen.live() == static_cast<int>(live.size()) && member->screen.agrees_with(live));
    };
    const auto all_agree = [&] {
      look();
      return attached_to(key_) == live.size() && removed_segments(key_) == 0 && std::ranges::all_of(members, shows_it);
    };
    wait_until(all_agree, fmt::format("{} are live, not all show it; {} are attached", live, attached_to(key_)));
    fates_.check(std::exchange(was_removed_, false));
    expect_status(live);
    note(fmt::format("quiet: {} are live", live.size()));
  }

  void end_all(std::uint32_t /*place*/ = 0, std::uint32_t number = 0) {
    expect_truth();
    if (number % 2 == 1) {
      for (Member* const member : all()) end(*member, SIGKILL);
      rest();
    }
    Member& fresh = start(places, 0);  // or nobody could clear away what killed copies left
    rest();
    const std::string& first = fresh.copy.lines().front();
    if (number % 2 == 1 && live_on(first) != 1) throw Wrong("after all were killed, a fresh copy says " + first);
    for (Member* const member : all()) end(*member, SIGTERM);
    rest();
    wait_until([&] { return !segment_of(key_) && removed_segments(key_) == 0; }, "all have left, but not the segment");
  }

  void note(const std::string& text) { remember(rfc3339_time() + "  " + text); }

  /// What has happened lately, in the order of time, not in that in which the soak got to read it.
  [[nodiscard]] std::string history() {
    const auto time_of = [](const std::string& line) {
      return line.substr(std::min(line.find_first_of("0123456789"), line.size()), 24);
    };
    std::ranges::stable_sort(history_, {}, time_of);
    std::string text = fmt::format("{}\n", fmt::join(history_, "\n"));
    for (Member& member : members_) text += fmt::format("notes of {}: {}\n", member.name(), member.copy.notes());
    return text;
  }

 private:
  [[nodiscard]] Copy launch(Launch launch) const {
    if (!options_.through.empty()) launch.through = {"bash", "-c", options_.through};
    return Copy{key_, launch};
  }

  Member& start(std::uint32_t place, std::uint32_t number, std::vector<std::string> options = {}) {
    options.emplace_back("--json");  // names all pids
    if (number / 32 % 4 == 0) options.emplace_back("--quiet");
    members_.push_back({.copy = launch({.options = options, .on_terminal = number % 8 == 1}), .place = place});
    Member& member = members_.back();
    note(fmt::format("start {} {}", member.name(), fmt::join(options, " ")));
    return member;
  }

  /// Those that have a place.
  [[nodiscard]] std::vector<Member*> all() {
    std::vector<Member*> found;
    for (Member& member : members_) {
      if (member.told == 0) found.push_back(&member);
    }
    return found;
  }

  [[nodiscard]] Member* at(std::uint32_t place) {
    const std::vector<Member*> members = all();
    const auto found = std::ranges::find(members, place, &Member::place);
    return found == members.end() ? nullptr : *found;
  }

  void end(Member& member, int signal) {
    note(fmt::format("signal {} to {}", signal, member.name()));
    member.told = signal;
    member.copy.signal(signal);
    if (member.stopped) member.copy.signal(SIGCONT);  // else it could not
  }

  void set_stopped(Member& member, bool stopped) {
    note((stopped ? "stop " : "continue ") + member.name());
    member.copy.signal(stopped ? SIGSTOP : SIGCONT);
    member.stopped = stopped;
  }

  void wait_until(const std::function<bool()>& condition, const std::string& else_wrong) const {
    if (!eventually(condition, std::chrono::seconds{options_.patience_seconds})) throw Wrong(else_wrong);
  }

  /// Waits until all that must end have ended, and all others have joined or are stopped.
  void rest() {
    const auto rests = [](Member& m) { return !m.must_end() && (m.has_joined() || m.stopped); };
    wait_until([&] { return look(), std::ranges::all_of(members_, rests); }, "somebody neither joins nor ends");
  }

  /// Reads what all have written, and takes out those that have ended.
  void look() {
    for (auto next = members_.begin(); next != members_.end();) {
      const auto member = next++;
      const bool ended = member->copy.ended();
      read_lines(*member);
      if (!ended) continue;
      const int code = member->copy.exit_code();
      const std::string what = fmt::format("{} ended with {}: {}", member->name(), code, member->copy.notes());
      note(what);
      if (!member->may_end_with(code)) throw Wrong(what);
      fates_.ended(member->copy.pid(), code, member->brief);
      members_.erase(member);
    }
  }

  void read_lines(Member& member) {
    member.copy.notes();  // a full pipe would keep it from ending
    for (const auto& lines = member.copy.lines(); member.lines_read < lines.size();) {
      const std::string& line = lines[member.lines_read++];
      remember(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line);
      member.screen.take(member.name(), line, fates_);
    }
  }

  void expect_status(const std::set<pid_t>& live) const {
    Copy status = launch({.options = {"--status", "--json"}});
    status.exit_code();
    std::set<pid_t> listed;
    const auto object = nlohmann::json::parse(status.output());
    for (const auto& copy : object.at("instances")) listed.insert(copy.at("pid").get<pid_t>());
    if (listed != live || object.at("live") != live.size()) {
      throw Wrong(fmt::format("{} are live, --status says: {}", live, status.output()));
    }
  }

  void remember(const std::string& line) {
    history_.push_back(line);
    if (history_.size() > 20'000) history_.pop_front();
  }

  Options options_;
  key_t key_;
  bool was_removed_ = false;
  std::list<Member> members_;
  Fates fates_;
  std::deque<std::string> history_;
};

struct Deed {
  const char* name;
  std::uint32_t per_mille;
  void (Soak::*act)(std::uint32_t place, std::uint32_t number);
};

constexpr Deed deeds[]{{"start", 480, &Soak::start_one},
                       {"end", 180, &Soak::end_one},
                       {"stop or go on", 150, &Soak::stop_or_go_on},
                       {"pause", 100, &Soak::pause},
                       {"ipcrm", 20, &Soak::remove},
                       {"expect the truth", 65, &Soak::expect_truth},
                       {"all leave or are killed", 5, &Soak::end_all}};

/// Draws the actions from the seed and from nothing else, so that they can be repeated.
bool run(const Options& options) {
  std::mt19937 random{options.seed};
  const auto below = [&](std::uint32_t limit) { return static_cast<std::uint32_t>(random() % limit); };
  Soak soak{options};
  const bool only_list = options.actions_to_list > 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>{options.seconds};
  int done = 0;
  try {
    for (; only_list ? done < options.actions_to_list : std::chrono::steady_clock::now() < end; ++done) {
      const Deed* deed = std::begin(deeds);
      for (std::uint32_t dice = below(1000); dice >= deed->per_mille; ++deed) dice -= deed->per_mille;
      const std::uint32_t place = below(places);
      const std::uint32_t number = below(1U << 31U);
      const std::string text = fmt::format("{} at {} ({})", deed->name, place, number);
      soak.note(text);
      if (only_list) std::cout << text << "\n";
      if (!only_list) (soak.*deed->act)(place, number);
    }
    if (only_list) return true;
    soak.end_all();
  } catch (const std::exception& wrong) {
    std::cout << soak.history() << fmt::format("Wrong at action {} of seed {}: {}\n", done, options.seed, wrong.what());
    return false;
  }
  std::cout << done << " actions, and the truth whenever all rested" << std::endl;
  return !testing::UnitTest::GetInstance()->Failed();  // what the sanitizers have to say of a copy
}

}  // namespace
}  // namespace share_data::test

int main(int argc, char** argv) {
  using namespace share_data::test;
  int own_name_only = 1;  // GoogleTest is here for its assertions; the options are ours
  testing::InitGoogleTest(&own_name_only, argv);
  // LeakSanitizer stops a process that ends, and waits forever if SIGCONT comes just then.
  setenv("ASAN_OPTIONS", "detect_leaks=0", 1);  // NOLINT(concurrency-mt-unsafe): one thread
  Options options;
  CLI::App app{
      "Does all that can happen to copies of share_data, at random, and compares what they say with the truth."};
  app.add_option("--for", options.seconds, "How long, in seconds; there is no upper limit");
  app.add_option("--seed", options.seed, "The same seed gives the same actions; a new one by default")
      ->envname("SHARE_DATA_TEST_SEED");
  app.add_option("--patience", options.patience_seconds, "How long the truth may take, in seconds");
  app.add_option("--through", options.through, "Start each copy through this command of bash, which has it in \"$@\"");
  app.add_option("--list", options.actions_to_list, "Only print so many actions");
  CLI11_PARSE(app, argc, argv);
  std::cerr << fmt::format("linux_soak --seed {} --for {}\n", options.seed, options.seconds);
  return run(options) ? EXIT_SUCCESS : EXIT_FAILURE;
}
