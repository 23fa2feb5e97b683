// What the copies may say, and how they may end: every line is compared with the line before it, and with what was
// done.
#pragma once

#include <csignal>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "copy.h"

namespace share_data::test {

/// What the soak is after: something that must never be. Says what.
struct Wrong : std::runtime_error {
  using runtime_error::runtime_error;
};

/// How the copies have ended, and what is said about it.
class Fates {
 public:
  /// A copy has ended. It may have been leaving when it was killed: `may_have_left`.
  void ended(pid_t pid, int exit_code, bool may_have_left) {
    if (exit_code == 0 || may_have_left) known_.emplace(pid, '-');
    if (exit_code == -SIGKILL) known_.emplace(pid, 'x');
    ended_.push_back(pid);
  }

  /// A copy says `- pid`, `x pid` or `? pid`.
  void said(const std::string& who, char sign, pid_t pid) { claims_.push_back({who, sign, pid}); }

  /// All copies that anybody has said have ended have ended by now. A copy that has moved to another segment (after
  /// ipcrm) can only say of those that it does not find there that it does not know; the soak may read that line after
  /// the check. Throws Wrong.
  void check(bool was_removed) {
    for (const pid_t pid : std::exchange(ended_, {})) {
      if (was_removed) known_.emplace(pid, '?');
    }
    for (const Claim& claim : std::exchange(claims_, {})) {
      const bool right = known_.contains({claim.pid, claim.sign}) || (claim.sign == '?' && was_removed);
      if (!right) throw Wrong(fmt::format("{} says `{} {}`, which is not true", claim.who, claim.sign, claim.pid));
    }
  }

 private:
  struct Claim {
    std::string who;
    char sign;
    pid_t pid;
  };

  std::set<std::pair<pid_t, char>> known_;
  std::vector<Claim> claims_;
  std::vector<pid_t> ended_;  ///< since the last check
};

/// All that one copy has said until now.
class Screen {
 public:
  /// The next line. Throws Wrong.
  void take(const std::string& who, const std::string& line, Fates& fates) {
    const int before = std::exchange(live_, live_on(line).value_or(-1));
    const auto object = nlohmann::json::parse(line);
    if (object.at("event") == "joined") unnamed_ = live_ - 1;
    if (object.at("event") != "changed") return;
    int expected = before;
    for (const pid_t pid : object.at("joined")) {
      ++expected;
      if (!present_.insert(pid).second) throw Wrong(fmt::format("{} says `{}`: twice", who, line));
    }
    for (const auto& [sign, name] : std::map<char, const char*>{{'-', "left"}, {'x', "killed"}, {'?', "unknown"}}) {
      for (const pid_t pid : object.at(name)) {
        --expected;
        if (present_.erase(pid) == 0 && --unnamed_ < 0) throw Wrong(fmt::format("{} says `{}`: who?", who, line));
        fates.said(who, sign, pid);
      }
    }
    if (live_ != expected) throw Wrong(fmt::format("{} says `{}`, after {} live", who, line, before));
  }

  [[nodiscard]] int live() const { return live_; }

  /// Whether those that it knows by name are among those that are live. It says nothing of who was there before it.
  [[nodiscard]] bool agrees_with(const std::set<pid_t>& live) const { return std::ranges::includes(live, present_); }

 private:
  int live_ = 0;
  int unnamed_ = 0;          ///< how many of those who were there before it are there still
  std::set<pid_t> present_;  ///< those that it has said have joined, and has not said have ended
};

/// A copy, and what has been done to it.
struct Member {
  Copy copy;
  std::uint32_t place = 0;
  bool limited = false;  ///< started with --max: may be refused
  bool brief = false;    ///< started with --for: leaves by itself
  bool stopped = false;  ///< by SIGSTOP
  int told = 0;          ///< the signal that was to end it: from then on it has no place any more
  std::size_t lines_read = 0;
  Screen screen = {};

  [[nodiscard]] std::string name() const { return fmt::format("[{}]", copy.pid()); }
  [[nodiscard]] bool has_joined() { return !copy.lines().empty(); }
  [[nodiscard]] bool must_end() const { return told != 0 || brief; }

  /// Whether a copy to which this has happened may end with this exit code (or minus signal). A signal that comes
  /// before the program is ready for it does what it does by default.
  [[nodiscard]] bool may_end_with(int code) {
    if (code == 0) return must_end();
    if (code == 3) return limited && !has_joined();
    if (code == -SIGKILL) return told == SIGKILL;
    return code == -told && !has_joined();
  }
};

}  // namespace share_data::test
