// The copies of the soak: each has a place, and what has been done to it is known.
#pragma once

#include <algorithm>
#include <csignal>
#include <deque>
#include <list>
#include <utility>

#include <fmt/ranges.h>

#include "actions.h"
#include "kernel_view.h"
#include "log.h"
#include "truth.h"

namespace share_data::test {

struct Member {
  Copy copy;
  std::size_t place = 0;
  std::string name = {};
  bool limited = false;   ///< started with --max: may be refused
  bool brief = false;     ///< started with --for: leaves by itself
  bool question = false;  ///< --status: answers and ends
  bool unheard = false;   ///< nobody reads its output any more: leaves with its next line at the latest
  bool stopped = false;   ///< by SIGSTOP
  int told = 0;           ///< the signal that was to end it: from then on it has no place any more
  std::size_t lines_read = 0;
  Screen screen = {};

  [[nodiscard]] bool has_joined() { return !copy.lines().empty(); }
  [[nodiscard]] bool must_end() const { return told != 0 || question || brief || unheard; }

  /// Whether a copy to which this has happened may end with this exit code (or minus signal). A signal that comes
  /// before the program is ready for it does what it does by default.
  [[nodiscard]] bool may_end_with(int code) {
    if (code == 0) return must_end();
    if (code == 3) return limited && !has_joined();
    if (code == -SIGKILL) return told == SIGKILL;
    return (code == -told || (code == -SIGHUP && unheard)) && !has_joined();
  }
};

class Crowd {
 public:
  Crowd(key_t key, std::string through) : key_(key), through_(std::move(through)) {}

  void act(const Action& action) {
    if (action.deed == Deed::ask) {
      add({"--status"}).question = true;
      return;
    }
    if (action.deed == Deed::pause) return pause(action.number % 20'000);
    if (action.deed == Deed::remove_segment) return note(remove_segment(key_) ? "ipcrm" : "ipcrm: no segment");
    Member* const member = at(action.place);
    if (member == nullptr) return start_at(action);
    if (action.deed == Deed::leave) end(*member, SIGTERM);
    if (action.deed == Deed::interrupt) end(*member, SIGINT);
    if (action.deed == Deed::hang_up) end(*member, SIGHUP);
    if (action.deed == Deed::kill) end(*member, SIGKILL);
    if (action.deed == Deed::stop_or_go_on) member->stopped ? go_on(*member) : stop(*member);
    if (action.deed == Deed::close_reader) close_reader(*member);
  }

  Member& start(std::size_t place, const std::vector<std::string>& options, bool on_terminal = false) {
    Member& member = add(options, on_terminal);
    member.place = place;
    return member;
  }

  void end(Member& member, int signal) {
    note(fmt::format("signal {} to {}", signal, member.name));
    member.told = signal;
    member.copy.signal(signal);
    if (member.stopped) member.copy.signal(SIGCONT);  // else it could not
  }

  void stop(Member& member) {
    note("stop " + member.name);
    member.copy.signal(SIGSTOP);
    member.stopped = true;
  }

  void go_on(Member& member) {
    note("continue " + member.name);
    member.copy.signal(SIGCONT);
    member.stopped = false;
  }

  /// Reads what all have written, and takes out those that have ended. Throws Wrong.
  void look() {
    for (auto next = members_.begin(); next != members_.end();) {
      const auto member = next++;
      const bool ended = member->copy.ended();
      read_lines(*member);
      if (!ended) continue;
      const int code = member->copy.exit_code().value_or(-1000);
      const std::string what = fmt::format("{} ended with {}: {}", member->name, code, member->copy.notes());
      note(what);
      if (!member->may_end_with(code)) throw Wrong(what);
      fates.ended(member->copy.pid(), code, member->brief || member->unheard);
      members_.erase(member);
    }
  }

  /// Whether all that must end have ended, and all others have joined or are stopped.
  [[nodiscard]] bool is_at_rest() {
    look();
    return std::ranges::all_of(members_, [](Member& m) { return !m.must_end() && (m.has_joined() || m.stopped); });
  }

  /// The copy at a place, or null.
  [[nodiscard]] Member* at(std::size_t place) {
    for (Member* const member : all()) {
      if (member->place == place) return member;
    }
    return nullptr;
  }

  /// Those that have a place.
  [[nodiscard]] std::vector<Member*> all() {
    std::vector<Member*> found;
    for (Member& member : members_) {
      if (member.told == 0 && !member.question) found.push_back(&member);
    }
    return found;
  }

  [[nodiscard]] Copy launch(Launch launch) const {
    if (!through_.empty()) launch.through = {through_};
    return Copy{key_, launch};
  }

  void note(const std::string& text) { remember(current_time().clock + "  " + text); }

  /// What has happened lately, in the order of time, not in that in which the soak got to read it.
  [[nodiscard]] std::string history() {
    const auto clock_of = [](const std::string& line) {
      return std::string_view{line}.substr(line.starts_with('{') ? line.find('T') + 1 : 0, 12);
    };
    std::ranges::stable_sort(history_, {}, clock_of);
    std::string text = fmt::format("{}\n", fmt::join(history_, "\n"));
    for (Member& member : members_) text += fmt::format("notes of {}: {}\n", member.name, member.copy.notes());
    return text;
  }

  Fates fates;

 private:
  Member& add(const std::vector<std::string>& options, bool on_terminal = false) {
    members_.push_back({.copy = launch({.options = options, .on_terminal = on_terminal})});
    members_.back().name = fmt::format("[{}]", members_.back().copy.pid());
    note(fmt::format("start {} {}", members_.back().name, fmt::join(options, " ")));
    return members_.back();
  }

  void start_at(const Action& action) {
    std::vector<std::string> options{"--color", "never"};
    if (action.number / 8 % 2 == 0) options.emplace_back("--json");
    if (action.number / 32 % 4 == 0) options.emplace_back("--quiet");
    const std::uint32_t amount = action.number / 128;
    const bool brief = action.deed == Deed::start_brief;
    const bool limited = action.deed == Deed::start_limited;
    if (brief) options.insert(options.end(), {"--for", fmt::format("{:.3f}", 0.001 * (1 + amount % 300))});
    if (limited) options.insert(options.end(), {"--max", std::to_string(1 + amount % 30)});
    Member& member = start(action.place, options, action.number % 8 == 0);
    member.brief = brief;
    member.limited = limited;
  }

  void close_reader(Member& member) {
    note("close the reader of " + member.name);
    read_lines(member);
    member.unheard = true;
    member.copy.close_output();
  }

  /// Of no importance for what is true: it lets things meet in other ways.
  static void pause(std::uint32_t microseconds) {
    std::this_thread::sleep_for(std::chrono::microseconds{microseconds});
  }

  void read_lines(Member& member) {
    (void)member.copy.notes();  // a full pipe would keep it from ending
    for (const auto& lines = member.copy.lines(); member.lines_read < lines.size() && !member.question;) {
      const std::string& line = lines[member.lines_read++];
      remember(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line);
      try {
        member.screen.take(Said{line}, [&](char sign, pid_t pid) { fates.said(member.name, sign, pid); });
      } catch (const Wrong& wrong) {
        throw Wrong(fmt::format("{} says `{}`: {}", member.name, line, wrong.what()));
      }
    }
  }

  void remember(const std::string& line) {
    history_.push_back(line);
    if (history_.size() > 20'000) history_.pop_front();
  }

  key_t key_;
  std::string through_;
  std::list<Member> members_;
  std::deque<std::string> history_;
};

}  // namespace share_data::test
