// What is seen of the copies of the soak.
#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "crowd.h"

namespace share_data::test {

void Crowd::tell_lines(Member& member) {
  if (member.question) return;  // its lines have no time
  const auto& lines = member.copy.lines();
  for (; member.lines_told < lines.size(); ++member.lines_told) {
    std::string line = lines[member.lines_told];
    if (line.ends_with('\r')) line.pop_back();
    history_.line(line);
  }
}

void Crowd::check_end(Member& member) {
  tell_lines(member);
  const int code = member.copy.exit_code().value_or(-1000);
  history_.note(fmt::format("{} ended with {}", member.name, code));
  const bool right = member.may_end_with(code);
  const std::string what = fmt::format("{} ended with {}: {}", member.name, code, member.copy.notes());
  constexpr std::size_t most = 60;
  gone_.push_back(std::move(member));
  if (gone_.size() > most) gone_.pop_front();
  if (!right) throw Wrong(what);
}

void Crowd::look() {
  for (auto member = leaving_.begin(); member != leaving_.end();) {
    tell_lines(*member);
    (void)member->copy.notes();  // a full pipe would keep it from ending
    if (!member->copy.ended()) {
      ++member;
      continue;
    }
    Member ended = std::move(*member);
    member = leaving_.erase(member);
    check_end(ended);
  }
  for (auto member = members_.begin(); member != members_.end();) {
    const auto next = std::next(member);
    tell_lines(member->second);
    (void)member->second.copy.notes();
    if (member->second.copy.ended()) {
      Member ended = std::move(members_.extract(member).mapped());
      check_end(ended);
    }
    member = next;
  }
}

bool Crowd::is_at_rest() {
  look();
  return leaving_.empty() && std::ranges::all_of(members_, [](auto& entry) {
           Member& member = entry.second;
           return (member.joined() || member.stopped) && !member.timed && !member.unheard;
         });
}

Member* Crowd::at(std::size_t place) {
  const auto found = members_.find(place);
  return found == members_.end() ? nullptr : &found->second;
}

std::vector<Member*> Crowd::all() {
  std::vector<Member*> found;
  for (auto& [place, member] : members_) found.push_back(&member);
  return found;
}

std::vector<Member*> Crowd::running() {
  std::vector<Member*> found = all();
  std::erase_if(found, [](const Member* member) { return member->stopped; });
  return found;
}

std::vector<pid_t> Crowd::pids() {
  std::vector<pid_t> found;
  for (const Member* const member : running()) found.push_back(member->copy.pid());
  return found;
}

std::size_t Crowd::stopped_among_the_others() {
  return static_cast<std::size_t>(std::ranges::count_if(
      members_, [&](const auto& entry) { return entry.second.stopped && entry.second.segment == removals_; }));
}

bool Crowd::may_be_anywhere(const Member& member) const { return member.stopped && !member.sure; }

void Crowd::all_are_together() {
  for (Member* const member : running()) member->segment = removals_;
}

std::vector<std::string> Crowd::notes() {
  std::vector<std::string> found;
  const auto add = [&](Member& member) {
    const std::string& notes = member.copy.notes();
    if (notes.empty()) return;
    constexpr std::size_t most = 800;
    found.push_back(fmt::format("{}: {}", member.name, notes.substr(notes.size() - std::min(most, notes.size()))));
  };
  std::ranges::for_each(gone_, add);
  std::ranges::for_each(leaving_, add);
  for (auto& [place, member] : members_) add(member);
  return found;
}

}  // namespace share_data::test
