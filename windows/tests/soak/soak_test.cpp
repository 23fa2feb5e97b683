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
#include <iterator>
#include <list>
#include <random>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "copies.h"

namespace share_data::test {
namespace {

using Pids = std::set<std::uint32_t>;
using Wrong = std::runtime_error;  ///< what must never be, in words

struct Member {
  Copy copy;
  bool timed = false;    ///< --for: leaves by itself
  bool limited = false;  ///< --max: may be refused
  bool suspended = false;
  std::size_t read = 0;    ///< so much of its output
  std::uint32_t live = 0;  ///< what its last line shows; 0 before the first
  /// Who is counted by its lines. The first line does not name the others, so the first time that all are at rest, they
  /// are put here; the line after that may still tell of what happened before.
  Pids counted = {};
  int rests = 0;  ///< how often it was at rest

  Member(const std::filesystem::path& exe, const Start& how) : copy(exe, how) {}
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
    const std::uint32_t place = below(places);
    const std::uint32_t dice = below(100);
    const std::uint32_t number = below(1U << 30U);
    if (dice >= 90) {
      Sleep(number % 50);  // of no importance for what is true: it lets things meet in other ways
    } else if (place < members_.size()) {
      const auto member = std::next(members_.begin(), place);
      if (dice < 40) {
        kill(member);
      } else if (dice < 60 && !member->timed && !member->limited) {
        press_ctrl_c(member);
      } else {
        suspend_or_resume(*member);
      }
    } else if (dice < 20) {
      start({L"--for", std::to_wstring(0.001 * (1 + number % 500))}).timed = true;
      may_leave_.insert(members_.back().copy.pid());
    } else if (dice < 35) {
      start({L"--max", std::to_wstring(1 + number % places)}).limited = true;
    } else {
      start({});
    }
  }

  Member& start(Arguments options) {
    options.emplace_back(L"--json");
    options.insert(options.end(), options_.begin(), options_.end());
    Member& member = members_.emplace_back(folder_.exe(), Start{.arguments = options, .own_console = true});
    note(fmt::format("start {}", member.copy.pid()));
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

  /// A process that starts just then may miss it, or never finish its start under Wine; so its first line is waited
  /// for.
  void press_ctrl_c(Members::iterator member) {
    if (member->suspended) suspend_or_resume(*member);
    if (!eventually([&] { return read(*member), member->live > 0; })) throw Wrong("somebody does not join");
    note(fmt::format("Ctrl+C {}", member->copy.pid()));
    may_leave_.insert(member->copy.pid());
    member->copy.press(CTRL_C_EVENT);
    ending_.splice(ending_.end(), members_, member);
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
      for (const std::uint32_t pid : pids_in(match[4])) remove(member, pid, may_leave_, "left");
      for (const std::uint32_t pid : pids_in(match[5])) remove(member, pid, may_be_killed_, "was killed");
      for (const std::uint32_t pid : pids_in(match[3])) {
        const bool is_new = member.counted.insert(pid).second || member.rests < 2;
        if (!is_new) throw Wrong(fmt::format("{}: {} joined twice", member.copy.pid(), pid));
      }
    }
    member.read = static_cast<std::size_t>(from - text.cbegin());
  }

  static std::vector<std::uint32_t> pids_in(const std::string& list) {
    std::vector<std::uint32_t> pids;
    std::istringstream stream{list};
    for (std::uint32_t pid = 0; stream >> pid; stream.ignore()) pids.push_back(pid);
    return pids;
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
      members->remove_if([&](Member& member) {
        read(member);
        const bool has_ended = member.copy.has_ended();
        if (has_ended) check_end(member);
        return has_ended;
      });
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
