// What the copies may say: every line is compared with the line before it, and with what was done.
#pragma once

#include <csignal>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "copy.h"

namespace share_data::test {

/// What the soak is after: something that must never be. Says what.
struct Wrong : std::runtime_error {
  using runtime_error::runtime_error;
};

/// What a line says, text or JSON.
struct Said {
  std::string event;  ///< `joined`, `changed` or `left`
  int live = 0;
  std::map<char, std::vector<pid_t>> pids = {};  ///< by their signs: + - x ?
  std::map<char, int> more = {};                 ///< how many are meant, but not named

  explicit Said(const std::string& line) : event("changed"), live(live_on(line).value_or(-1)) {
    if (line.starts_with('{')) {
      const auto object = nlohmann::json::parse(line);
      event = object.at("event");
      for (const auto& [sign, name] :
           std::map<char, const char*>{{'+', "joined"}, {'-', "left"}, {'x', "killed"}, {'?', "unknown"}}) {
        pids[sign] = object.at(name).get<std::vector<pid_t>>();
      }
      return;
    }
    for (const char* const name : {"joined", "left"}) {
      if (line.find(std::string{" live  "} + name) != std::string::npos) event = name;
    }
    static const std::regex group{R"(([-+x?])((?: \d+)+)(?: and (\d+) more)?)"};
    for (std::sregex_iterator match{line.begin(), line.end(), group}; match != std::sregex_iterator{}; ++match) {
      const char sign = *(*match)[1].first;
      std::istringstream numbers{(*match)[2]};
      for (pid_t pid = 0; numbers >> pid;) pids[sign].push_back(pid);
      if ((*match)[3].matched) more[sign] = std::stoi((*match)[3]);
    }
  }

  [[nodiscard]] int count(char sign) const {
    const auto named = pids.find(sign);
    const auto unnamed = more.find(sign);
    return (named == pids.end() ? 0 : static_cast<int>(named->second.size())) +
           (unnamed == more.end() ? 0 : unnamed->second);
  }
};

/// All that one copy has said until now. All of it throws Wrong.
class Screen {
 public:
  /// The next line. `says_it_ended(sign, pid)` is called for each copy that the line says is not there any more.
  void take(const Said& said, const std::function<void(char, pid_t)>& says_it_ended) {
    if (said.event == "left") return;
    if (said.event == "joined") unnamed_ = said.live - 1;
    const int expected = live_ + said.count('+') - said.count('-') - said.count('x') - said.count('?');
    if (said.event == "changed" && said.live != expected) {
      throw Wrong(fmt::format("after {} live, this line should say {} live", live_, expected));
    }
    live_ = said.live;
    if (said.event == "joined") return;
    is_vague_ |= !said.more.empty();
    for (const auto& [sign, pids] : said.pids) {
      for (const pid_t pid : pids) sign == '+' ? came(pid) : ended(sign, pid, says_it_ended);
    }
  }

  [[nodiscard]] int live() const { return live_; }

  /// Whether those that it knows by name are among those that are live. It says nothing of who was there before it.
  [[nodiscard]] bool agrees_with(const std::set<pid_t>& live) const {
    return is_vague_ || std::ranges::includes(live, present_);
  }

 private:
  void came(pid_t pid) {
    if (!present_.insert(pid).second && !is_vague_) throw Wrong(fmt::format("{} has joined twice", pid));
  }

  void ended(char sign, pid_t pid, const std::function<void(char, pid_t)>& says_it_ended) {
    if (present_.erase(pid) == 0 && --unnamed_ < 0 && !is_vague_) throw Wrong(fmt::format("{} was not there", pid));
    says_it_ended(sign, pid);
  }

  int live_ = 0;
  int unnamed_ = 0;          ///< how many of those who were there before it are there still
  std::set<pid_t> present_;  ///< those that it has said have joined, and has not said have ended
  bool is_vague_ = false;    ///< it has not named all
};

/// How the copies have ended, and what is said about it.
class Fates {
 public:
  /// A copy has ended. It may have been leaving when it was killed: `may_have_left`.
  void ended(pid_t pid, int exit_code, bool may_have_left) {
    if (exit_code == 0 || may_have_left) known_.emplace(pid, '-');
    if (exit_code == -SIGKILL) known_.emplace(pid, 'x');
  }

  void said(const std::string& who, char sign, pid_t pid) { claims_.push_back({who, sign, pid}); }

  /// All copies that anybody has said have ended have ended by now. A copy that has moved to another segment (after
  /// ipcrm) can only say of those that it does not find there that it does not know.
  void check(bool with_removals) {
    for (const Claim& claim : std::exchange(claims_, {})) {
      const bool right = known_.contains({claim.pid, claim.sign}) || (claim.sign == '?' && with_removals);
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
};

}  // namespace share_data::test
