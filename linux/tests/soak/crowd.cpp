#include "crowd.h"

#include <csignal>
#include <utility>

#include <fmt/format.h>

namespace share_data::test {

Crowd::Crowd(key_t key, std::string through, History& history)
    : key_(key), through_(std::move(through)), history_(history) {}

void Crowd::start_at(const Action& action) {
  std::vector<std::string> options;
  const bool on_terminal = action.number % 8 == 0;
  if (on_terminal) options.insert(options.end(), {"--color", "never"});
  if (action.number / 8 % 4 == 0) options.emplace_back("--json");
  if (action.number / 32 % 4 == 0) options.emplace_back("--quiet");
  const std::uint32_t amount = action.number / 128;
  if (action.deed == Deed::start_for_a_moment) {
    options.insert(options.end(), {"--for", fmt::format("{:.3f}", 0.001 * (1 + amount % 300))});
  } else if (action.deed == Deed::start_limited) {
    options.insert(options.end(), {"--max", std::to_string(1 + amount % 30)});
  }
  Member& member = start(action.place, options, on_terminal);
  member.timed = action.deed == Deed::start_for_a_moment;
  member.limited = action.deed == Deed::start_limited;
}

Copy Crowd::launch(const Launch& launch) const {
  Launch complete = launch;
  if (!through_.empty()) complete.through = {through_};
  return Copy{key_, complete};
}

Member& Crowd::start(std::size_t place, const std::vector<std::string>& options, bool on_terminal) {
  Member member{.copy = launch({.options = options, .on_terminal = on_terminal})};
  member.name = fmt::format("[{}] at {}", member.copy.pid(), place);
  history_.note(fmt::format("start {} {}", member.name, fmt::join(options, " ")));
  return members_.insert_or_assign(place, std::move(member)).first->second;
}

Copy Crowd::question(bool json) const {
  std::vector<std::string> options{"--status"};
  if (json) options.emplace_back("--json");
  return launch({.options = options});
}

void Crowd::ask(bool json) {
  Member member{.copy = question(json)};
  member.name = fmt::format("[{}] --status", member.copy.pid());
  member.question = true;
  history_.note(fmt::format("ask {}", member.name));
  leaving_.push_back(std::move(member));
}

Answer Crowd::answer(bool json) const {
  Copy asked = question(json);
  const int exit_code = asked.exit_code().value_or(-1000);
  return {exit_code, asked.output(), asked.notes()};
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

}  // namespace share_data::test
