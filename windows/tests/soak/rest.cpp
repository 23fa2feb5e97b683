// The quiet points of the soak: what is true there, and whether it is shown.
#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "soak.h"

namespace share_data::test {
namespace {

bool joined(const Copy& copy) { return copy.shows().has_value(); }

bool has_ended(const Copy& copy) { return WaitForSingleObject(copy.process(), 0) == WAIT_OBJECT_0; }

}  // namespace

/// Gets rid of all that would make the truth a matter of time or of opinion: a copy that was suspended before it
/// had joined is none yet, and one that was while garbage took its slot away is none until it goes on.
void Soak::rest(bool healing) {
  for (auto& [place, member] : members_) {
    const bool must_go_on = healing || member.timed || !joined(*member.copy);
    if (member.suspended && must_go_on) suspend_or_resume(member);
  }
  wait_for_rest();
  expect_truth();
}

void Soak::wait_for_rest() {
  const bool rests = eventually([&] { return is_at_rest(); });
  if (rests) return;
  std::string who;
  for (const Member& member : leaving_) who += fmt::format(" {}", member.copy->pid());
  for (const auto& [place, member] : members_) {
    if (member.timed || !joined(*member.copy)) who += fmt::format(" {}", member.copy->pid());
  }
  throw Wrong("somebody neither joins nor ends:" + who);
}

bool Soak::is_at_rest() {
  for (auto member = leaving_.begin(); member != leaving_.end();) {
    const auto next = std::next(member);
    if (has_ended(*member->copy)) {
      gone_.splice(gone_.end(), leaving_, member);
      check_end(gone_.back());
    }
    member = next;
  }
  for (auto member = members_.begin(); member != members_.end();) {
    const auto next = std::next(member);
    if (has_ended(*member->second.copy)) {
      gone_.push_back(std::move(members_.extract(member).mapped()));
      check_end(gone_.back());
    }
    member = next;
  }
  return leaving_.empty() && std::ranges::all_of(members_, [](const auto& entry) {
           return !entry.second.timed && joined(*entry.second.copy);
         });
}

void Soak::check_end(const Member& member) const {
  const DWORD code = member.copy->exit_code().value_or(~DWORD{0});
  const bool right = (code == 0 && (member.timed || member.told)) || (code == 1 && member.terminated) ||
                     (code == 3 && member.limited && !joined(*member.copy));
  if (!right) throw Wrong(fmt::format("{} ended with {}: {}", member.copy->pid(), code, member.copy->notes()));
}

void Soak::expect_truth() {
  const auto count = static_cast<unsigned>(members_.size());
  note(fmt::format("quiet: {} live", count));
  const auto shows_it = [&](const auto& entry) {
    return entry.second.suspended || entry.second.copy->shows() == count;
  };
  const bool agreed = eventually([&] { return std::ranges::all_of(members_, shows_it); });
  if (!agreed) {
    std::string who;
    for (const auto& [place, member] : members_) {
      if (!member.suspended) who += fmt::format(" {}:{}", member.copy->pid(), member.copy->shows().value_or(0));
    }
    throw Wrong(fmt::format("{} are live, they show{}", count, who));
  }
  expect_status_tells(count);
}

void Soak::expect_status_tells(std::size_t count) {
  std::vector<std::wstring> options = options_;
  options.emplace_back(L"--status");
  const Copy question{folder_.exe(), options};
  const std::string right = fmt::format("{} live", count);
  const bool answered =
      question.exit_code() == DWORD{0} && eventually([&] { return question.output().find('\n') != std::string::npos; });
  if (!answered || !question.output().starts_with(right)) {
    throw Wrong(fmt::format("{}, --status says: {}{}", right, question.output(), question.notes()));
  }
}

std::string Soak::history() const {
  std::string all = "The last deeds:\n";
  for (const std::string& deed : deeds_) all += "  " + deed + "\n";
  const auto add = [&](const Member& member) {
    constexpr std::size_t most = 2000;
    const std::string text = member.copy->output() + member.copy->notes();
    all += fmt::format("[{}] wrote:\n{}", member.copy->pid(), text.substr(text.size() - std::min(most, text.size())));
  };
  std::ranges::for_each(gone_, add);
  std::ranges::for_each(leaving_, add);
  for (const auto& [place, member] : members_) add(member);
  return all;
}

}  // namespace share_data::test
