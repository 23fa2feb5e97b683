// Copies of the program in random trouble. Whenever it is quiet, each of them shows the truth: how many run, and by its
// `+`, `-` and `x` exactly who came, who left and who was killed. For an hour of each way to share:
//   SHARE_DATA_SOAK_SECONDS=3600 share_data_tests.exe --gtest_filter=Soak.*
// under Wine through windows/tests/support/wine.sh, and not through ctest, which has a limit of its own.
// SHARE_DATA_TEST_SEED gives the deeds of an earlier run.
#include <gtest/gtest.h>
#include <windows.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <list>
#include <random>
#include <regex>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "copy.h"

namespace share_data::test {
namespace {

using Pids = std::set<std::uint32_t>;
using Wrong = std::runtime_error;  ///< what must never be, in words

struct Member {
  std::size_t place;  ///< the seed alone decides what happens: a deed at a free place starts a copy there
  Copy copy;
  bool timed = false;    ///< --for: leaves by itself
  bool limited = false;  ///< --max: may be refused
  bool in_console = false;
  bool suspended = false;
  std::size_t read = 0;    ///< so much of its output
  std::uint32_t live = 0;  ///< what its last line shows; 0 before the first
  /// Who is counted by its lines. The first line does not name the others, so the first time that all are at rest, they
  /// are put here; the line after that may still tell of what happened before.
  Pids counted = {};
  int rests = 0;  ///< how often it was at rest

  Member(std::size_t at, const std::filesystem::path& exe, Start how) : place(at), copy(exe, std::move(how)) {}
};

using Members = std::list<Member>;

class Soak {
 public:
  Soak(std::uint32_t seed, Arguments options) : random_(seed), options_(std::move(options)) {}

  void run_round() {
    for (std::uint32_t deeds = 1 + below(12); deeds > 0; --deeds) do_something();
    rest();
  }

  [[nodiscard]] std::string history() const {
    std::string all = "What was done:\n" + deeds_;
    for (const Members* members : {&ending_, &members_}) {
      for (const Member& member : *members) all += member.copy.output() + member.copy.notes();
    }
    return all;
  }

 private:
  static constexpr std::uint32_t places = 8;

  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(random_() % limit); }

  void note(const std::string& text) { deeds_ += "  " + text + "\n"; }

  void do_something() {
    const std::size_t place = below(places);
    const std::uint32_t dice = below(100);
    const std::uint32_t number = below(1U << 30U);
    const auto found = std::ranges::find(members_, place, &Member::place);
    if (dice >= 90) {
      Sleep(number % 50);  // of no importance for what is true: it lets things meet in other ways
    } else if (dice >= 85) {
      press_ctrl_c();
    } else if (found != members_.end()) {
      dice < 40 ? kill(found) : suspend_or_resume(*found);
    } else if (dice < 20) {
      start(place, {L"--for", std::to_wstring(0.001 * (1 + number % 500))}).timed = true;
      may_leave_.insert(members_.back().copy.pid());
    } else if (dice < 35) {
      start(place, {L"--max", std::to_wstring(1 + number % places)}).limited = true;
    } else {
      start(place, {}, number % 3 == 0);
    }
  }

  Member& start(std::size_t place, Arguments options, bool in_console = false) {
    options.emplace_back(L"--json");
    options.insert(options.end(), options_.begin(), options_.end());
    Start how{.arguments = std::move(options), .console = in_console ? console_.handle() : nullptr};
    Member& member = members_.emplace_back(place, folder_.exe(), std::move(how));
    member.in_console = in_console;
    note(fmt::format("start {} at {}", member.copy.pid(), place));
    return member;
  }

  void kill(Members::iterator member) {
    note(fmt::format("kill {}", member->copy.pid()));
    may_be_killed_.insert(member->copy.pid());
    TerminateProcess(member->copy.process(), 1);
    ending_.splice(ending_.end(), members_, member);
  }

  void suspend_or_resume(Member& member) {
    note(fmt::format("{} {}", member.suspended ? "resume" : "suspend", member.copy.pid()));
    member.suspended ? member.copy.resume() : member.copy.suspend();
    member.suspended = !member.suspended;
  }

  /// Goes to all in the console. A process that starts just then may miss it, or never finish its start under Wine; so
  /// those that start are waited for.
  void press_ctrl_c() {
    for (auto member = members_.begin(); member != members_.end();) {
      const auto found = member++;
      if (!found->in_console) continue;
      if (found->suspended) suspend_or_resume(*found);
      if (!eventually([&] { return read(*found), found->live > 0; })) throw Wrong("somebody does not join");
      may_leave_.insert(found->copy.pid());
      ending_.splice(ending_.end(), members_, found);
    }
    note("Ctrl+C");
    console_.send(CTRL_C_EVENT);
  }

  /// Reads the lines that are new, and checks what they say of the end of others.
  void read(Member& member) {
    static const std::regex line{
        R"x("event":"(\w+)","live":(\d+),"plain":-?\d+,"joined":\[([\d,]*)\],"left":\[([\d,]*)\],"killed":\[([\d,]*)\],"unknown":\[\]\}\n)x"};
    const std::string text = member.copy.output();
    auto from = text.cbegin() + static_cast<std::ptrdiff_t>(member.read);
    for (std::smatch match; std::regex_search(from, text.cend(), match, line); from = match[0].second) {
      if (match[1] == "left") continue;  // its own last line
      member.live = static_cast<std::uint32_t>(std::stoul(match[2]));
      for_each_pid(match[4], [&](std::uint32_t pid) { remove(member, pid, may_leave_, "left"); });
      for_each_pid(match[5], [&](std::uint32_t pid) { remove(member, pid, may_be_killed_, "was killed"); });
      for_each_pid(match[3], [&](std::uint32_t pid) {
        if (!member.counted.insert(pid).second && member.rests > 1)
          throw Wrong(fmt::format("{}: {} joined twice", member.copy.pid(), pid));
      });
    }
    member.read = static_cast<std::size_t>(from - text.cbegin());
  }

  template <typename Action>
  static void for_each_pid(const std::string& list, Action action) {
    static const std::regex number{R"(\d+)"};
    for (std::sregex_iterator match{list.begin(), list.end(), number}, end; match != end; ++match) {
      action(static_cast<std::uint32_t>(std::stoul((*match)[0])));
    }
  }

  static void remove(Member& member, std::uint32_t pid, const Pids& possible, const char* how) {
    const bool was_counted = member.counted.erase(pid) != 0 || member.rests < 2;
    if (!possible.contains(pid) || !was_counted) throw Wrong(fmt::format("{}: {} {}?", member.copy.pid(), pid, how));
  }

  /// Waits until nobody joins or ends any more, and checks what everybody shows. A copy that was suspended before it
  /// had joined would be none yet.
  void rest() {
    for (Member& member : members_) {
      read(member);
      if (member.suspended && (member.timed || member.live == 0)) suspend_or_resume(member);
    }
    if (!eventually([&] { return is_at_rest(); })) throw Wrong("somebody neither joins nor ends");
    Pids counted;
    for (const Member& member : members_) counted.insert(member.copy.pid());
    note(fmt::format("quiet: {} live: {}", counted.size(), fmt::join(counted, " ")));
    for (Member& member : members_) {
      if (member.suspended) continue;
      const bool right = eventually([&] {
        read(member);
        return member.live == counted.size() && (member.rests == 0 || member.counted == counted);
      });
      if (!right) throw Wrong(fmt::format("{}: {}", member.copy.pid(), fmt::join(member.counted, " ")));
      member.counted = counted;
      ++member.rests;
    }
    Arguments options = options_;
    options.emplace_back(L"--status");
    const std::string status = output_of(folder_, options);
    if (!status.starts_with(fmt::format("{} live\n", counted.size()))) throw Wrong("--status says: " + status);
  }

  bool is_at_rest() {
    for (Members* members : {&members_, &ending_}) {
      for (auto member = members->begin(); member != members->end();) {
        const auto found = member++;
        read(*found);
        if (!found->copy.has_ended()) continue;
        check_end(*found);
        members->erase(found);
      }
    }
    return ending_.empty() &&
           std::ranges::all_of(members_, [](const Member& member) { return !member.timed && member.live > 0; });
  }

  void check_end(const Member& member) {
    const DWORD code = member.copy.exit_code().value_or(~DWORD{0});
    const std::uint32_t pid = member.copy.pid();
    const bool right = (code == 0 && may_leave_.contains(pid)) || (code == 1 && may_be_killed_.contains(pid)) ||
                       (code == 3 && member.limited && member.live == 0);
    if (!right) throw Wrong(fmt::format("{} ended with {}: {}", pid, code, member.copy.notes()));
  }

  std::mt19937 random_;
  Arguments options_;  ///< what the copies share
  Folder folder_;
  PseudoConsole console_;
  Pids may_leave_;  ///< copies with --for, and those that got Ctrl+C
  Pids may_be_killed_;
  Members members_;
  Members ending_;  ///< killed, or asked to leave
  std::string deeds_;
};

std::uint32_t number_in(const char* variable, std::uint32_t otherwise) {
  const char* const text = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): nobody writes there
  return text != nullptr ? static_cast<std::uint32_t>(std::stoul(text)) : otherwise;
}

void soak(const Arguments& options) {
  const std::uint32_t seed = number_in("SHARE_DATA_TEST_SEED", std::random_device{}());
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{number_in("SHARE_DATA_SOAK_SECONDS", 8)};
  std::cout << "SHARE_DATA_TEST_SEED=" << seed << std::endl;  // at once: the test may not live to its end
  Soak soak{seed, options};
  try {
    while (std::chrono::steady_clock::now() < end) soak.run_round();
  } catch (const Wrong& wrong) {
    FAIL() << wrong.what() << "\n" << soak.history();
  }
}

TEST(Soak, OfTheSectionShowsTheTruthAtEveryQuietPoint) { soak({}); }
TEST(Soak, OfAMappingShowsTheTruthAtEveryQuietPoint) { soak(via_mapping(unique_name())); }

}  // namespace
}  // namespace share_data::test
