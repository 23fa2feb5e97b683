#include "copies.h"

#include <sys/wait.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>

namespace share_data::test {

void CopiesTest::TearDown() {
  remove_segment(key_);
  std::filesystem::remove_all(path());
}

Copies CopiesTest::start_many(int count, const Launch& launch) const {
  Copies copies;
  for (int i = 0; i < count; ++i) copies.push_back(start(launch));
  return copies;
}

Copies CopiesTest::start_in_order(int count, const Launch& launch) const {
  Copies copies;
  for (int i = 0; i < count; ++i) {
    copies.push_back(start(launch));
    EXPECT_TRUE(copies.back().prints("joined"));
  }
  return copies;
}

Copies CopiesTest::start_together(int count, const Launch& launch) const {
  Copies copies = start_many(count, launch);
  EXPECT_TRUE(all_show(copies));
  return copies;
}

Answer CopiesTest::ask_here(std::vector<std::string> options) const {
  options.insert(options.end(), {"--key", key_text()});
  return ask(options);
}

testing::AssertionResult CopiesTest::all_show(Group copies, int count) const {
  const auto shows_it = [&](Copy* copy) { return copy->shown() == count; };
  const bool agreed = eventually(
      [&] { return std::ranges::all_of(copies, shows_it) && attached_to(key_) == static_cast<std::size_t>(count); });
  if (agreed) return testing::AssertionSuccess();
  std::erase_if(copies, shows_it);
  std::string who;
  for (Copy* const copy : copies) {
    who += fmt::format("  [{}] {}{}\n{}", copy->pid(), copy->lines().empty() ? "no line" : copy->lines().back(),
                       copy->ended() ? " (ended)" : "", copy->notes());
  }
  return testing::AssertionFailure() << fmt::format("{} copies do not show {}, and {} processes are attached:\n{}",
                                                    copies.size(), count, attached_to(key_), who);
}

testing::AssertionResult CopiesTest::nothing_is_left() const {
  // A copy that has left may still be on its way out.
  const bool nothing = eventually([&] { return !segment_of(key_) && removed_segments(key_) == 0; });
  return testing::AssertionResult{nothing} << (segment_of(key_) ? "a segment" : "no segment") << " and "
                                           << removed_segments(key_) << " removed segments are left";
}

void CopiesTest::expect_clean_end(const Group& copies) const {
  EXPECT_TRUE(all_leave(copies));
  EXPECT_TRUE(nothing_is_left());
}

void CopiesTest::expect_all_is_well(Copies& copies) const {
  EXPECT_TRUE(all_show(copies));
  EXPECT_TRUE(all_sleep(copies));
  expect_clean_end(copies);
}

Copy take(Copies& copies, std::size_t index) {
  const auto place = copies.begin() + static_cast<std::ptrdiff_t>(index);
  Copy copy = std::move(*place);
  copies.erase(place);
  return copy;
}

Copies take_last(Copies& copies, int count) {
  const auto first = copies.end() - count;
  Copies taken{std::move_iterator{first}, std::move_iterator{copies.end()}};
  copies.erase(first, copies.end());
  return taken;
}

pid_t own_pid(Copy& copy) {
  const std::string& line = copy.lines().at(0);
  return std::stoi(line.substr(line.find('[') + 1));
}

void signal(const Group& copies, int number) {
  for (const Copy* const copy : copies) copy->signal(number);
}

void suspend(const Group& copies) {
  signal(copies, SIGSTOP);
  for (const Copy* const copy : copies) {
    const auto id = static_cast<id_t>(copy->pid());
    EXPECT_TRUE(eventually([&] {
      siginfo_t info{};
      return waitid(P_PID, id, &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 && info.si_pid == copy->pid();
    }));
  }
}

void destroy(const Group& copies) {
  signal(copies, SIGKILL);
  for (Copy* const copy : copies) EXPECT_EQ(copy->exit_code(), -SIGKILL);
}

long call_of(pid_t pid) {
  std::ifstream file{fmt::format("/proc/{}/syscall", pid)};
  long call = -1;
  return file >> call ? call : -1;
}

bool all_wait_for_change(const Group& copies) {
  const auto waits = [](const Copy* copy) { return call_of(copy->pid()) == SYS_futex_waitv; };
  return eventually([&] { return std::ranges::all_of(copies, waits); });
}

std::chrono::nanoseconds cpu_time_of(const Group& copies) {
  std::chrono::nanoseconds sum{0};
  for (const Copy* const copy : copies) {
    clockid_t clock{};
    timespec time{};
    EXPECT_EQ(clock_getcpuclockid(copy->pid(), &clock), 0);
    EXPECT_EQ(clock_gettime(clock, &time), 0);
    sum += std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
  }
  return sum;
}

bool all_sleep(const Group& copies) {
  return eventually([&] {
    const auto before = cpu_time_of(copies);
    std::this_thread::sleep_for(std::chrono::milliseconds{500});
    return cpu_time_of(copies) == before;
  });
}

testing::AssertionResult all_leave(const Group& copies) {
  signal(copies, SIGTERM);
  for (Copy* const copy : copies) {
    const Answer last = copy->answer();
    if (last.exit_code != 0) {
      return testing::AssertionFailure() << "copy " << copy->pid() << " ended with " << last.exit_code << "\n"
                                         << last.output << last.notes;
    }
  }
  return testing::AssertionSuccess();
}

unsigned seed() {
  const char* const wanted = std::getenv("SHARE_DATA_TEST_SEED");
  const unsigned value = wanted != nullptr ? static_cast<unsigned>(std::stoul(wanted)) : std::random_device{}();
  std::cout << "SHARE_DATA_TEST_SEED=" << value << std::endl;  // at once: the test may not live to its end
  return value;
}

testing::AssertionResult contains(const std::string& text, const std::string& part) {
  const bool has_it = text.find(part) != std::string::npos;
  return testing::AssertionResult{has_it} << (has_it ? "" : "no ") << '"' << part << "\" in:\n" << text;
}

testing::AssertionResult failed(const Answer& answer, int exit_code, const std::string& words) {
  if (answer.exit_code == exit_code) return contains(answer.notes, words);
  return testing::AssertionFailure() << "ended with " << answer.exit_code << "\n" << answer.output << answer.notes;
}

}  // namespace share_data::test
