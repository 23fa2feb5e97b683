// Killed at every instruction: a real copy is killed between any two instructions of a join, of a leave, of telling
// the others that one was killed, and of joining again after somebody removed the segment. Each time the others and
// a newcomer must show the truth, and the last one out must leave nothing behind. A copy that is stopped at any
// instruction while it tells the others must hold up nobody, and show the truth when it goes on.
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "at_rest.h"
#include "copies_test.h"
#include "recording.h"
#include "table.h"
#include "tracee.h"
#include "wait.h"

namespace share_data::test {
namespace {

enum class Deed { join, leave, tell_of_a_death, join_again };

struct Scene {
  std::string_view name;
  Deed deed;
  bool with_survivor = true;
  int signal = SIGKILL;
};

class EveryInstruction : public CopiesTest, public testing::WithParamInterface<Scene> {
 protected:
  /// A copy that is about to do it.
  struct Victim {
    Copy copy;
    Tracee tracee;
  };

  /// Starts all anew, so that each victim finds the same slots.
  Victim prepare() {
    survivor_.reset();
    if (GetParam().with_survivor) {
      survivor_.emplace(start({"--quiet"}));
      EXPECT_TRUE(all_show({&*survivor_}, 1));
    }
    switch (GetParam().deed) {
      case Deed::join:
        return about_to_join();
      case Deed::leave:
        return about_to_leave();
      case Deed::tell_of_a_death:
        return about_to_tell_of_a_death();
      case Deed::join_again:
        return about_to_join_again();
    }
    throw std::logic_error{"no such deed"};
  }

  Recording record() {
    Victim victim = prepare();
    Recording recording{victim.tracee, victim.copy.pid(), key(), [](const Call& call) {
                          return call.number == (GetParam().deed == Deed::leave ? SYS_exit_group : SYS_futex_waitv);
                        }};
    victim.copy.destroy();
    EXPECT_TRUE(truth_is_shown()) << "after the recording";
    return recording;
  }

  /// What the tries of all workers add up to.
  struct Progress {
    std::atomic<std::size_t> next;
    std::atomic<std::size_t> missed;  ///< points that a victim did not come to
  };

  /// Takes one point after the other.
  void work(const Recording& recording, Progress& progress) {
    const std::vector<Point>& points = recording.points();
    for (std::size_t i = 0; !HasFailure() && (i = progress.next++) < points.size();) {
      Victim victim = prepare();
      if (!recording.replay(victim.tracee, points[i])) ++progress.missed;
      SCOPED_TRACE(fmt::format("at {:#x} after {} changes", points[i].address, points[i].epoch));
      if (GetParam().signal == SIGSTOP) {
        victim.tracee.leave_stopped();
        EXPECT_TRUE(truth_is_shown(std::move(victim.copy)));
      } else {
        victim.copy.destroy();
        EXPECT_TRUE(truth_is_shown());
      }
    }
    if (HasFailure()) progress.next = points.size();
  }

  /// A process that does `work`, with a key of its own.
  pid_t start_worker(const std::function<void()>& work) {
    const pid_t pid = fork();
    if (pid != 0) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    SetUp();
    try {
      work();
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
    survivor_.reset();
    TearDown();
    std::fflush(nullptr);
    _exit(HasFailure() ? 1 : 0);
  }

 private:
  testing::AssertionResult truth_is_shown(std::optional<Copy> stopped = std::nullopt) {
    Copies copies;
    int count = stopped ? 1 : 0;
    if (survivor_) {
      survivor_->signal(SIGCONT);
      copies.push_back(std::move(*survivor_));
      survivor_.reset();
      if (auto result = all_show(copies, ++count); !result) return result;
    }
    copies.push_back(start({"--quiet"}));
    if (auto result = all_show(copies, ++count); !result) return result;
    if (live_on(copies.back().lines().front()) != count) {
      return testing::AssertionFailure() << "the newcomer's first line is wrong:\n" << copies.back().output();
    }
    if (stopped) {
      stopped->signal(SIGCONT);
      copies.push_back(std::move(*stopped));
      if (auto result = all_show(copies, count); !result) return result;
    }
    if (auto result = all_leave(copies); !result) return result;
    return nothing_is_left();
  }

  Victim about_to_join() {
    Copy copy = start(Launch{.options = {"--quiet"}, .before_exec = [] {
                               Tracee::fix_addresses();
                               Tracee::stop_at_start();
                             }});
    Tracee tracee = Tracee::from_start(copy.pid());
    tracee.run_to_call(SYS_mlock);  // of its robust list, which it makes first
    tracee.step();
    return {std::move(copy), tracee};
  }

  Victim about_to_leave() {
    Copy copy = start_here(1);
    Tracee tracee = Tracee::in_call(copy.pid(), SYS_futex_waitv);
    tracee.deliver(SIGTERM);
    tracee.finish_step();
    return {std::move(copy), tracee};
  }

  Victim about_to_tell_of_a_death() {
    Copy dying = start_here(1);
    Copy copy = start_here(2);
    stop_survivor();
    Tracee tracee = Tracee::in_call(copy.pid(), SYS_futex_waitv);
    dying.destroy();
    tracee.finish_step();
    return {std::move(copy), tracee};
  }

  Victim about_to_join_again() {
    Copy copy = start_here(1);
    stop_survivor();
    Tracee tracee = Tracee::in_call(copy.pid(), SYS_futex_waitv);
    const RawSegment segment{key()};
    remove_segment(key());
    auto& table = segment.as<Table>();
    ++table.changes;
    futex_wake_all(table.changes);
    tracee.finish_step();
    return {std::move(copy), tracee};
  }

  /// A copy that the `others`, and the survivor, know of. Nobody has anything to do any more.
  Copy start_here(int others) {
    Copy copy = start(Launch{.options = {"--quiet"}, .before_exec = [] { Tracee::fix_addresses(); }});
    const int count = others + (survivor_ ? 1 : 0);
    EXPECT_TRUE(eventually([&] {
      return copy.shown() == count && waits_for_change(copy.pid()) &&
             (!survivor_ || (survivor_->shown() == count && waits_for_change(survivor_->pid())));
    }));
    return copy;
  }

  /// It would be faster.
  void stop_survivor() const {
    survivor_->signal(SIGSTOP);
    EXPECT_TRUE(is_stopped(*survivor_));
  }

  std::optional<Copy> survivor_;
};

// Most of the time goes by in waiting for copies, so many can be tried at once.
TEST_P(EveryInstruction, MayBeTheLast) {
  const Recording recording = record();
  ASSERT_FALSE(HasFailure());
  constexpr auto release = [](Progress* progress) { munmap(progress, sizeof *progress); };
  const std::unique_ptr<Progress, decltype(release)> progress{static_cast<Progress*>(
      mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))};
  std::vector<pid_t> workers;
  std::fflush(nullptr);
  for (int i = 0; i < 12; ++i) workers.push_back(start_worker([&] { work(recording, *progress); }));
  for (const pid_t worker : workers) {
    int status = -1;
    waitpid(worker, &status, 0);
    EXPECT_EQ(status, 0);
  }
  const std::size_t points = recording.points().size();
  std::cout << fmt::format("{}: {} instructions, {} points in {} epochs, {} of them not met again\n", GetParam().name,
                           recording.instructions(), points, recording.epochs(), progress->missed.load());
  EXPECT_LT(progress->missed * 10, points) << "the victims do not do what the recorded one did";
}

INSTANTIATE_TEST_SUITE_P(Of, EveryInstruction,
                         testing::Values(Scene{"AJoinOfTheFirst", Deed::join, false}, Scene{"AJoin", Deed::join},
                                         Scene{"ALeaveOfTheLast", Deed::leave, false}, Scene{"ALeave", Deed::leave},
                                         Scene{"TheTellingOfADeath", Deed::tell_of_a_death},
                                         Scene{"TheTellingOfADeathStopped", Deed::tell_of_a_death, true, SIGSTOP},
                                         Scene{"AJoinAfterRemoval", Deed::join_again}),
                         [](const auto& test) { return std::string{test.param.name}; });

}  // namespace
}  // namespace share_data::test
