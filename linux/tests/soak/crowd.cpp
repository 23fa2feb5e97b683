#include "crowd.h"

#include <algorithm>
#include <csignal>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace share_data::test {

bool Member::may_end_with(int code) {
  if (code == 0) return must_end();
  if (code == 1) return damaged;
  if (code == 3) return limited && !joined();
  if (code == -SIGKILL) return told == SIGKILL;
  // A signal that comes before the program is ready for it does what it does by default.
  return (code == -told || (code == -SIGHUP && unheard)) && !joined();
}

Crowd::Crowd(key_t key, std::string through, History& history)
    : key_(key), through_(std::move(through)), history_(history) {}

void Crowd::act(const Action& action) {
  Member* const member = at(action.place);
  if (member == nullptr) return start_at(action);
  if (action.deed == Deed::terminate) return end(*member, SIGTERM);
  if (action.deed == Deed::interrupt) return end(*member, SIGINT);
  if (action.deed == Deed::hang_up) return end(*member, SIGHUP);
  if (action.deed == Deed::kill) return end(*member, SIGKILL);
  if (action.deed == Deed::stop_or_continue) return member->stopped ? go_on(*member) : stop(*member);
  if (action.deed != Deed::close_reader) return;  // to start one: it is there already
  history_.note(fmt::format("close the reader of {}", member->name));
  take_lines(*member);
  member->unheard = true;
  member->copy.close_output();
}

void Crowd::start_at(const Action& action) {
  std::vector<std::string> options;
  const bool on_terminal = action.number % 8 == 0;
  if (on_terminal) options.insert(options.end(), {"--color", "never"});
  if (action.number / 8 % 4 == 0) options.emplace_back("--json");
  if (action.number / 32 % 4 == 0) options.emplace_back("--quiet");
  const std::uint32_t amount = action.number / 128;
  const bool timed = action.deed == Deed::start_for_a_moment;
  const bool limited = action.deed == Deed::start_limited;
  if (timed) options.insert(options.end(), {"--for", fmt::format("{:.3f}", 0.001 * (1 + amount % 300))});
  if (limited) options.insert(options.end(), {"--max", std::to_string(1 + amount % 30)});
  Member& member = start(action.place, options, on_terminal);
  member.timed = timed;
  member.limited = limited;
}

Copy Crowd::launch(Launch launch) const {
  if (!through_.empty()) launch.through = {through_};
  return Copy{key_, launch};
}

Member& Crowd::start(std::size_t place, const std::vector<std::string>& options, bool on_terminal) {
  members_.push_back({.copy = launch({.options = options, .on_terminal = on_terminal}), .place = place});
  Member& member = members_.back();
  member.name = fmt::format("[{}] at {}", member.copy.pid(), place);
  history_.note(fmt::format("start {} {}", member.name, fmt::join(options, " ")));
  return member;
}

Copy Crowd::question(bool json) const {
  std::vector<std::string> options{"--status"};
  if (json) options.emplace_back("--json");
  return launch({.options = options});
}

void Crowd::ask(bool json) {
  members_.push_back({.copy = question(json), .question = true});
  Member& member = members_.back();
  member.name = fmt::format("[{}] --status", member.copy.pid());
  history_.note(fmt::format("ask {}", member.name));
}

void Crowd::end(Member& member, int signal) {
  history_.note(fmt::format("signal {} to {}", signal, member.name));
  member.told = signal;
  member.copy.signal(signal);
  if (member.stopped) member.copy.signal(SIGCONT);  // else it could not
}

void Crowd::end_all(int signal) {
  for (Member* const member : all()) end(*member, signal);
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

void Crowd::segment_was_hidden() {
  for (Member& member : members_) member.damaged = true;
}

void Crowd::take_lines(Member& member) {
  (void)member.copy.notes();  // a full pipe would keep it from ending
  const auto& lines = member.copy.lines();
  if (member.question) return;  // its lines have no time
  for (; member.lines_told < lines.size(); ++member.lines_told) {
    std::string line = lines[member.lines_told];
    if (line.ends_with('\r')) line.pop_back();
    history_.line(line);
  }
}

void Crowd::check_end(Member& member) {
  take_lines(member);
  const int code = member.copy.exit_code().value_or(-1000);
  const std::string what = fmt::format("{} ended with {}: {}", member.name, code, member.copy.notes());
  history_.note(what);
  if (!member.may_end_with(code)) throw Wrong(what);
}

void Crowd::look() {
  for (auto member = members_.begin(); member != members_.end();) {
    take_lines(*member);
    const auto current = member++;
    if (!current->copy.ended()) continue;
    check_end(*current);
    members_.erase(current);
  }
}

bool Crowd::is_at_rest() {
  look();
  return std::ranges::all_of(members_,
                             [](Member& member) { return !member.must_end() && (member.joined() || member.stopped); });
}

Member* Crowd::at(std::size_t place) {
  const std::vector<Member*> members = all();
  const auto found = std::ranges::find(members, place, &Member::place);
  return found == members.end() ? nullptr : *found;
}

std::vector<Member*> Crowd::all() {
  std::vector<Member*> found;
  for (Member& member : members_) {
    if (member.told == 0 && !member.question) found.push_back(&member);
  }
  return found;
}

std::vector<Member*> Crowd::running() {
  std::vector<Member*> found = all();
  std::erase_if(found, [](const Member* member) { return member->stopped; });
  return found;
}

std::size_t Crowd::stopped_among_the_others() {
  const auto is_there = [&](const Member* member) { return member->stopped && member->segment == removals_; };
  return static_cast<std::size_t>(std::ranges::count_if(all(), is_there));
}

void Crowd::all_are_together() {
  for (Member* const member : running()) member->segment = removals_;
}

std::string Crowd::notes() {
  std::string notes;
  for (Member& member : members_) notes += fmt::format("{}: {}\n", member.name, member.copy.notes());
  return notes;
}

}  // namespace share_data::test
