#include "copies_test.h"

#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include <fmt/format.h>

namespace share_data::test {
namespace {

/// What went wrong, for people: who shows what.
std::string described(const std::vector<Copy*>& copies) {
  std::string text;
  for (Copy* const copy : copies) {
    text += fmt::format("  [{}] {}{}\n", copy->pid(), copy->lines().empty() ? "no line" : copy->lines().back(),
                        copy->ended() ? " (ended)" : "");
    if (!copy->notes().empty()) text += fmt::format("      notes: {}", copy->notes());
  }
  return text;
}

}  // namespace

void CopiesTest::SetUp() {
  key_ = static_cast<key_t>(0x5e00'0000U | static_cast<std::uint32_t>(getpid()));
  remove_segment(key_);  // of an earlier process that had our pid
}

void CopiesTest::TearDown() { remove_segment(key_); }

std::string CopiesTest::key_text() const { return fmt::format("{:#x}", static_cast<std::uint32_t>(key_)); }

Copy CopiesTest::start(const std::vector<std::string>& options) const { return Copy{key_, {.options = options}}; }

Copies CopiesTest::start_many(int count, const std::vector<std::string>& options) const {
  Copies copies;
  for (int i = 0; i < count; ++i) copies.push_back(start(options));
  return copies;
}

Copies CopiesTest::start_together(int count) const {
  Copies copies = start_many(count);
  EXPECT_TRUE(all_show(copies, count));
  return copies;
}

Copy CopiesTest::start_alone() const { return std::move(start_together(1).front()); }

Answer CopiesTest::ask_here(std::vector<std::string> options) const {
  options.insert(options.end(), {"--key", key_text()});
  return ask(options);
}

testing::AssertionResult CopiesTest::all_show(std::vector<Copy*> copies, int count) const {
  const auto shows_it = [&](Copy* copy) { return copy->shown() == count; };
  const bool agreed = eventually(
      [&] { return std::ranges::all_of(copies, shows_it) && attached_to(key_) == static_cast<std::size_t>(count); });
  if (agreed) return testing::AssertionSuccess();
  std::erase_if(copies, shows_it);
  return testing::AssertionFailure() << copies.size() << " copies do not show " << count << ", and "
                                     << attached_to(key_) << " processes are attached:\n"
                                     << described(copies);
}

testing::AssertionResult CopiesTest::all_show(Copies& copies, int count) const {
  return all_show(pointers_to(copies), count);
}

testing::AssertionResult CopiesTest::nothing_is_left() const {
  const auto nothing = [&] { return !segment_of(key_) && removed_segments(key_) == 0; };
  // A copy that has left may still be on its way out.
  if (eventually(nothing)) return testing::AssertionSuccess();
  return testing::AssertionFailure() << (segment_of(key_) ? "a segment" : "no segment") << " and "
                                     << removed_segments(key_) << " removed segments are left";
}

std::vector<Copy*> pointers_to(Copies& copies) {
  std::vector<Copy*> pointers;
  for (Copy& copy : copies) pointers.push_back(&copy);
  return pointers;
}

pid_t own_pid(Copy& copy) {
  const std::string& line = copy.lines().at(0);
  return std::stoi(line.substr(line.find('[') + 1));
}

bool is_stopped(const Copy& copy) {
  return eventually([&] {
    siginfo_t info{};
    return waitid(P_PID, static_cast<id_t>(copy.pid()), &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == copy.pid();
  });
}

std::chrono::nanoseconds cpu_time_of(const Copies& copies) {
  std::chrono::nanoseconds sum{0};
  for (const Copy& copy : copies) {
    clockid_t clock{};
    timespec time{};
    EXPECT_EQ(clock_getcpuclockid(copy.pid(), &clock), 0);
    EXPECT_EQ(clock_gettime(clock, &time), 0);
    sum += std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
  }
  return sum;
}

bool all_sleep(const Copies& copies) {
  return eventually([&] {
    const auto before = cpu_time_of(copies);
    std::this_thread::sleep_for(std::chrono::milliseconds{500});
    return cpu_time_of(copies) == before;
  });
}

testing::AssertionResult all_leave(Copies& copies) {
  for (const Copy& copy : copies) copy.signal(SIGTERM);
  for (Copy& copy : copies) {
    const int exit_code = copy.exit_code().value_or(-1000);
    if (exit_code != 0) {
      return testing::AssertionFailure() << "copy " << copy.pid() << " ended with " << exit_code << "\n"
                                         << copy.output() << copy.notes();
    }
  }
  return testing::AssertionSuccess();
}

}  // namespace share_data::test
