// Killed at every instruction: a real copy is killed between any two instructions of a join, of a leave, of the
// burial of another one, and of joining again after somebody removed the segment. Each time the others and a
// newcomer must show the truth, and whoever ends last must leave nothing behind.
//
// The normal run tries the instructions next to each system call and each atomic one, and some in between;
// SHARE_DATA_EVERY_INSTRUCTION=all tries all (see Recording for what that means), a number about so many.
#include <linux/futex.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "copies_test.h"
#include "recording.h"
#include "table.h"
#include "tracee.h"

namespace share_data::test {
namespace {

enum class Deed { join, leave, bury, join_again };

struct Scene {
  std::string_view name;
  Deed deed;
  bool with_survivor;
};

constexpr auto option = "SHARE_DATA_EVERY_INSTRUCTION";

/// How many points to try, at least; those next to atomic instructions come on top.
std::size_t wanted_points(std::size_t all) {
  const char* const value = std::getenv(option);  // NOLINT(concurrency-mt-unsafe): nobody changes it
  if (value == nullptr) return 25;
  return std::string_view{value} == "all" ? all : std::stoul(value);
}

std::vector<Point> chosen(const std::vector<Point>& points) {
  const std::size_t wanted = std::clamp<std::size_t>(wanted_points(points.size()), 1, points.size());
  const std::size_t distance = points.size() / wanted;
  std::vector<Point> chosen;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const bool starts_epoch = i > 0 && points[i].epoch != points[i - 1].epoch;
    if (i % distance == 0 || starts_epoch || points[i].next_to_atomic) chosen.push_back(points[i]);
  }
  return chosen;
}

/// How many other processes it watches.
std::ptrdiff_t watched_by(const Copy& copy) {
  std::error_code gone;
  std::filesystem::directory_iterator descriptors{fmt::format("/proc/{}/fd", copy.pid()), gone};
  return std::ranges::count_if(descriptors, [&](const auto& entry) {
    return std::filesystem::read_symlink(entry, gone).string().find("pidfd") != std::string::npos;
  });
}

pid_t other_thread(pid_t pid) {
  for (const auto& entry : std::filesystem::directory_iterator{fmt::format("/proc/{}/task", pid)}) {
    const auto thread = static_cast<pid_t>(std::stol(entry.path().filename().string()));
    if (thread != pid) return thread;
  }
  throw std::logic_error{"there is but one thread"};
}

constexpr long lookout_waits = SYS_epoll_wait;

bool is_wait_of_main(const Call& call) {
  return call.number == SYS_futex && (call.second & static_cast<std::uint64_t>(FUTEX_CMD_MASK)) == FUTEX_WAIT;
}

class EveryInstruction : public CopiesTest, public testing::WithParamInterface<Scene> {
 protected:
  /// A copy that is about to do it, on the way into the first system call.
  struct Victim {
    Copy copy;
    Tracee tracee;

    void destroy() {
      copy.signal(SIGKILL);
      tracee.reap(copy.pid());
      copy.destroy();
    }
  };

  /// Starts all anew, so that each victim finds the same slots.
  Victim prepare() {
    if (GetParam().with_survivor) {
      survivor_.emplace(start({"--quiet"}));
      EXPECT_TRUE(all_show({&*survivor_}, 1));
    }
    switch (GetParam().deed) {
      case Deed::join:
        return about_to_join();
      case Deed::leave:
        return about_to_leave();
      case Deed::bury:
        return about_to_bury();
      case Deed::join_again:
        return about_to_join_again();
    }
    throw std::logic_error{"no such deed"};
  }

  /// What ends the deed.
  static bool is_end(const Call& call) {
    if (GetParam().deed == Deed::leave) return call.number == SYS_exit;
    return GetParam().deed == Deed::bury ? call.number == lookout_waits : is_wait_of_main(call);
  }

  testing::AssertionResult truth_is_shown() {
    Copies copies;
    if (survivor_) {
      survivor_->signal(SIGCONT);
      copies.push_back(std::move(*survivor_));
      survivor_.reset();
      if (auto result = all_show(copies, 1); !result) return result;
    }
    copies.push_back(start({"--quiet"}));
    const int count = static_cast<int>(copies.size());
    if (auto result = all_show(copies, count); !result) return result;
    if (live_on(copies.back().lines().front()) != count) {
      return testing::AssertionFailure() << "the newcomer's first line is wrong:\n" << copies.back().output();
    }
    if (auto result = all_leave(copies); !result) return result;
    return nothing_is_left();
  }

 private:
  Victim about_to_join() {
    Copy copy = start(Launch{.options = {"--quiet"}, .before_exec = [] {
                               Tracee::fix_addresses();
                               Tracee::stop_at_start();
                             }});
    Tracee tracee = Tracee::from_start(copy.pid());
    tracee.run_to_call(SYS_shmget);
    return {std::move(copy), tracee};
  }

  Victim about_to_leave() {
    Copy copy = start_here();
    Tracee tracee = lookout_of(copy);
    copy.signal(SIGTERM);
    return {std::move(copy), tracee};
  }

  // The survivor is stopped meanwhile: it would be faster.
  Victim about_to_bury() {
    Copy dying = start({"--quiet"});
    EXPECT_TRUE(all_show({&dying, &*survivor_}, 2));
    Copy copy = start_here();
    survivor_->signal(SIGSTOP);
    waitpid(survivor_->pid(), nullptr, WUNTRACED);
    Tracee tracee = lookout_of(copy);
    dying.destroy();
    return {std::move(copy), tracee};
  }

  Victim about_to_join_again() {
    Copy copy = start_here();
    Tracee tracee = Tracee::from_now(copy.pid());
    tracee.run_to_call(SYS_futex);
    const RawSegment segment{key()};
    remove_segment(key());
    segment.as<Table>().announce();
    return {std::move(copy), tracee};
  }

  /// A copy that the others know of, and nobody has anything to do any more: who watches the other one has
  /// shown its line and cooled down.
  Copy start_here() {
    Copy copy = start(Launch{.options = {"--quiet"}, .before_exec = [] { Tracee::fix_addresses(); }});
    EXPECT_TRUE(eventually([&] { return copy.shown().has_value(); }));
    const int others = *copy.shown() - 1;
    EXPECT_TRUE(
        eventually([&] { return watched_by(copy) == others && (!survivor_ || watched_by(*survivor_) == others); }));
    return copy;
  }

  /// Its other thread, on the way into the call in which it waits for all that may come.
  static Tracee lookout_of(const Copy& copy) {
    Tracee tracee = Tracee::from_now(other_thread(copy.pid()));
    tracee.run_to_call(lookout_waits);
    return tracee;
  }

  std::optional<Copy> survivor_;
};

TEST_P(EveryInstruction, MayBeTheLast) {
  std::optional<Recording> recording;
  {
    Victim victim = prepare();
    recording.emplace(victim.tracee, victim.copy.pid(), key(), is_end);
    victim.destroy();
    ASSERT_TRUE(truth_is_shown()) << "after the recording";
  }
  const std::vector<Point> points = chosen(recording->points());
  std::size_t missed = 0;
  for (const Point& point : points) {
    Victim victim = prepare();
    if (!recording->replay(victim.tracee, point)) ++missed;
    victim.destroy();
    ASSERT_TRUE(truth_is_shown()) << fmt::format("killed at {:#x} after {} changes", point.address, point.epoch);
  }
  std::cout << fmt::format("{}: {} instructions, {} points in {} epochs, {} tried, {} of them not met again\n",
                           GetParam().name, recording->instructions(), recording->points().size(),
                           recording->epochs(), points.size(), missed);
  EXPECT_LT(missed * 10, points.size()) << "the victims do not do what the recorded one did";
}

INSTANTIATE_TEST_SUITE_P(Of, EveryInstruction,
                         testing::Values(Scene{"AJoinOfTheFirst", Deed::join, false},
                                         Scene{"AJoin", Deed::join, true},
                                         Scene{"ALeaveOfTheLast", Deed::leave, false},
                                         Scene{"ALeave", Deed::leave, true}, Scene{"ABurial", Deed::bury, true},
                                         Scene{"AJoinAfterRemoval", Deed::join_again, true}),
                         [](const auto& test) { return std::string{test.param.name}; });

}  // namespace
}  // namespace share_data::test
