// Killed at every instruction: a real copy is killed between any two instructions of a join, of a leave, of telling
// the others that one was killed, and of joining again after somebody removed the segment. Each time the others and
// a newcomer must show the truth, and the last one out must leave nothing behind. A copy that is stopped at any
// instruction while it tells the others must hold up nobody, and show the truth when it goes on.
#include <sys/personality.h>

#include <list>

#include "copies.h"
#include "recording.h"

namespace share_data::test {
namespace {

/// In the child: the program gets the same addresses each time.
void fix_addresses() { personality(ADDR_NO_RANDOMIZE); }

/// A copy that is about to do it.
struct Victim {
  Copy copy;
  Tracee tracee;
};

class EveryInstruction;

struct Scene {
  const char* name;
  Victim (EveryInstruction::*start_victim)();
  long last_call;
  int others = 1;
  int signal = SIGKILL;
};

class EveryInstruction : public CopiesTest, public testing::WithParamInterface<Scene> {
 public:
  Victim about_to_join() {
    const auto stop_at_start = [] {
      fix_addresses();
      ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    };
    Copy copy = start({.options = {"--quiet"}, .before_exec = stop_at_start});
    Tracee tracee = Tracee::from_start(copy.pid());
    tracee.run_to_call(SYS_mlock);  // of its robust list, which it makes first
    tracee.step();
    return {std::move(copy), tracee};
  }

  Victim about_to_leave() {
    Copy copy = start_here();
    Tracee tracee = Tracee::in_call(copy.pid(), SYS_futex_waitv);
    tracee.deliver(SIGTERM);
    tracee.finish_step();
    return {std::move(copy), tracee};
  }

  Victim about_to_tell_of_a_death() {
    others_.push_back(start_here());
    Copy copy = start_here();
    Copy dying = take(others_, others_.size() - 1);
    suspend(others_);  // they would be faster
    Tracee tracee = Tracee::in_call(copy.pid(), SYS_futex_waitv);
    dying.destroy();
    tracee.finish_step();
    return {std::move(copy), tracee};
  }

  Victim about_to_join_again() {
    Copy copy = start_here();
    suspend(others_);
    Tracee tracee = Tracee::in_call(copy.pid(), SYS_futex_waitv);
    const RawSegment segment{key()};
    remove_segment(key());
    segment.table().notify(Log{{}, 0});
    tracee.finish_step();
    return {std::move(copy), tracee};
  }

 protected:
  static constexpr std::size_t workers = 12;  // most of the time goes by in waiting for copies

  /// Starts all anew, so that each victim finds the same slots.
  Victim prepare() {
    others_ = start_together(GetParam().others, {.options = {"--quiet"}});
    return (this->*GetParam().start_victim)();
  }

  Recording record() {
    Victim victim = prepare();
    const Recording recording{victim.tracee, victim.copy.pid(), GetParam().last_call};
    victim.copy.destroy();
    expect_truth({});
    return recording;
  }

  /// Tries the points from `first` on that no other worker tries.
  void work(const Recording& recording, std::size_t first) {
    const std::vector<Point>& points = recording.points();
    std::size_t missed = 0;  // points that a victim did not come to
    for (std::size_t i = first; i < points.size() && !HasFailure(); i += workers) {
      SCOPED_TRACE(fmt::format("at {:#x} after {} changes", points[i].address, points[i].epoch));
      Victim victim = prepare();
      if (!recording.replay(victim.tracee, points[i])) ++missed;
      Copies stopped;
      if (GetParam().signal == SIGSTOP) {
        victim.tracee.leave_stopped();
        stopped.push_back(std::move(victim.copy));
      } else {
        victim.copy.destroy();
      }
      expect_truth(std::move(stopped));
    }
    EXPECT_LE(missed, points.size() / workers / 10 + 2) << "the victims do not do what the recorded one did";
  }

  Copies others_;

 private:
  /// The others and a newcomer show it, and so does the one that was stopped, if there is one, when it goes on.
  void expect_truth(Copies stopped) {
    Copies copies = std::exchange(others_, {});
    const auto count = [&] { return static_cast<int>(copies.size() + stopped.size()); };
    signal(copies, SIGCONT);
    EXPECT_TRUE(all_show(copies, count()));
    copies.push_back(start({.options = {"--quiet"}}));
    EXPECT_TRUE(all_show(copies, count()));
    EXPECT_EQ(copies.back().shown_first(), count());
    signal(stopped, SIGCONT);
    add(copies, std::move(stopped));
    EXPECT_TRUE(all_show(copies));
    expect_clean_end(copies);
  }

  /// A copy that the others know of. Nobody has anything to do any more.
  Copy start_here() {
    Copies all = std::exchange(others_, {});
    all.push_back(start({.options = {"--quiet"}, .before_exec = fix_addresses}));
    EXPECT_TRUE(all_show(all));
    EXPECT_TRUE(all_wait_for_change(all));
    Copy copy = take(all, all.size() - 1);
    others_ = std::move(all);
    return copy;
  }
};

TEST_P(EveryInstruction, MayBeTheLast) {
  const Recording recording = record();
  ASSERT_FALSE(HasFailure());
  std::cout << recording.points().size() << " points\n";
  std::list<Child> children;
  for (std::size_t i = 0; i < workers; ++i) {
    children.emplace_back([&, i] {
      SetUp();  // with a key of its own
      work(recording, i);
      others_.clear();
      TearDown();
    });
  }
  for (Child& child : children) EXPECT_EQ(child.wait(), 0);
}

INSTANTIATE_TEST_SUITE_P(
    Of, EveryInstruction,
    testing::Values(Scene{"AJoinOfTheFirst", &EveryInstruction::about_to_join, SYS_futex_waitv, 0},
                    Scene{"AJoin", &EveryInstruction::about_to_join, SYS_futex_waitv},
                    Scene{"ALeaveOfTheLast", &EveryInstruction::about_to_leave, SYS_exit_group, 0},
                    Scene{"ALeave", &EveryInstruction::about_to_leave, SYS_exit_group},
                    Scene{"TheTellingOfADeath", &EveryInstruction::about_to_tell_of_a_death, SYS_futex_waitv},
                    Scene{"TheTellingOfADeathStopped", &EveryInstruction::about_to_tell_of_a_death, SYS_futex_waitv, 1,
                          SIGSTOP},
                    Scene{"AJoinAfterRemoval", &EveryInstruction::about_to_join_again, SYS_futex_waitv}),
    by_name);

// Copies that are stopped after the kernel has woken them, or while they tell the others, hide no death.

/// Has them wait anew, one after the other, so that they come after everybody else in the queues of the words.
void go_to_the_end_of_the_queue(const Group& copies) {
  for (Copy* const copy : copies) {
    suspend({copy});
    copy->signal(SIGCONT);
    ASSERT_TRUE(all_wait_for_change({copy}));
  }
}

class StoppedWhenWoken : public CopiesTest, public testing::WithParamInterface<std::size_t> {};

// The kernel wakes one waiter of each of the four words of a copy that dies. As long as one of those that it wakes
// is not stopped before it can tell the others, everybody shows the truth.
TEST_P(StoppedWhenWoken, HidesADeathFromNobody) {
  Copies copies = start_together(8, {.options = {"--quiet"}});
  Copy victim = take(copies, 0);
  std::vector<Tracee> woken;
  for (std::size_t i = 0; i < GetParam(); ++i) woken.push_back(Tracee::in_call(copies[i].pid(), SYS_futex_waitv));
  const Group all{copies};
  const Group others{all.begin() + static_cast<std::ptrdiff_t>(GetParam()), all.end()};
  ASSERT_TRUE(all_wait_for_change(others));
  go_to_the_end_of_the_queue(others);
  victim.destroy();
  for (Tracee& tracee : woken) ASSERT_TRUE(tracee.finish_step());
  EXPECT_TRUE(all_show(others, 7));
  for (Tracee& tracee : woken) tracee.leave_stopped();
  signal(copies, SIGCONT);
  EXPECT_TRUE(all_show(copies));
  expect_clean_end(copies);
}

INSTANTIATE_TEST_SUITE_P(Of, StoppedWhenWoken, testing::Values(1, 2, 3),
                         [](const auto& test) { return "TheFirst" + std::to_string(test.param); });

}  // namespace
}  // namespace share_data::test
