#include "crowd.h"

#include <algorithm>
#include <csignal>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "bystander.h"

namespace share_data::test {

Crowd::Crowd(key_t key, std::string through, History& history)
    : key_(key), through_(std::move(through)), history_(history) {}

void Crowd::start_at(const Action& action) {
  std::vector<std::string> options;
  const Launch launch{.on_terminal = action.number % 8 == 0};
  if (launch.on_terminal) options.insert(options.end(), {"--color", "never"});
  if (action.number / 8 % 4 == 0) options.emplace_back("--json");
  if (action.number / 32 % 4 == 0) options.emplace_back("--quiet");
  const std::uint32_t amount = action.number / 128;
  if (action.deed == Deed::start_for_a_moment) {
    options.insert(options.end(), {"--for", fmt::format("{:.3f}", 0.001 * (1 + amount % 300))});
  } else if (action.deed == Deed::start_limited) {
    options.insert(options.end(), {"--max", std::to_string(1 + amount % 30)});
  }
  Member& member = start(action.place, options, launch);
  member.timed = action.deed == Deed::start_for_a_moment;
  member.limited = action.deed == Deed::start_limited;
}

Member& Crowd::start(std::size_t place, const std::vector<std::string>& options, const Launch& launch) {
  Launch complete = launch;
  complete.options = options;
  if (!through_.empty()) complete.through = {through_};
  Member member{.copy = Copy{key_, complete}};
  member.name = fmt::format("[{}] at {}", member.copy.pid(), place);
  history_.note(fmt::format("start {} {}", member.name, fmt::join(options, " ")));
  return members_.insert_or_assign(place, std::move(member)).first->second;
}

void Crowd::ask(bool json) {
  std::vector<std::string> options{"--status"};
  if (json) options.emplace_back("--json");
  Member member{.copy = Copy{key_, {.options = options}}};
  member.name = fmt::format("[{}] --status", member.copy.pid());
  member.question = true;
  history_.note(fmt::format("ask {}", member.name));
  leaving_.push_back(std::move(member));
}

void Crowd::act(const Action& action) {
  const auto found = members_.find(action.place);
  if (found == members_.end()) return start_at(action);
  Member& member = found->second;
  switch (action.deed) {
    case Deed::terminate:
      return end(action.place, SIGTERM);
    case Deed::interrupt:
      return end(action.place, SIGINT);
    case Deed::hang_up:
      return end(action.place, SIGHUP);
    case Deed::kill:
      return end(action.place, SIGKILL);
    case Deed::stop_or_continue:
      return member.stopped ? go_on(member) : stop(member);
    case Deed::close_reader:
      history_.note(fmt::format("close the reader of {}", member.name));
      tell_lines(member);
      member.unheard = true;
      return member.copy.close_output();
    default:  // it is there already
      return;
  }
}

void Crowd::end(std::size_t place, int signal) {
  Member member = std::move(members_.extract(place).mapped());
  history_.note(fmt::format("signal {} to {}", signal, member.name));
  member.told = signal;
  member.copy.signal(signal);
  if (member.stopped) member.copy.signal(SIGCONT);  // else it could not
  leaving_.push_back(std::move(member));
}

void Crowd::end_all(int signal) {
  while (!members_.empty()) end(members_.begin()->first, signal);
}

void Crowd::end_if_there(std::size_t place, int signal) {
  if (members_.contains(place)) end(place, signal);
}

void Crowd::end_those_unheard() {
  std::vector<std::size_t> places;
  for (const auto& [place, member] : members_) {
    if (member.unheard) places.push_back(place);
  }
  for (const std::size_t place : places) end(place, SIGTERM);
}

void Crowd::stop(Member& member) {
  history_.note(fmt::format("stop {}", member.name));
  member.copy.signal(SIGSTOP);
  member.stopped = true;
  member.sure = member.segment == removals_;
}

void Crowd::go_on(Member& member) {
  history_.note(fmt::format("continue {}", member.name));
  member.copy.signal(SIGCONT);
  member.stopped = false;
}

void Crowd::segment_was_removed() { ++removals_; }

void Crowd::segment_was_hidden() {
  for (auto& [place, member] : members_) member.damaged = true;
  for (Member& member : leaving_) member.damaged = true;
}

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
           return member.joined() && !member.timed && !member.unheard;
         });
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

std::vector<Identity> Crowd::identities() {
  std::vector<Identity> found;
  for (const Member* const member : running()) found.push_back(identity_of(member->copy.pid()));
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
