// Somebody removes the segment under running copies, as `ipcrm` does, or a logout.
#include <sched.h>

#include <algorithm>
#include <fstream>
#include <functional>

#include "copies.h"

namespace share_data::test {
namespace {

class Ipcrm : public CopiesTest {
 protected:
  /// Copies whose segment was removed.
  [[nodiscard]] Copies start_and_remove(int count) const {
    Copies copies = start_together(count);
    EXPECT_TRUE(remove_segment(key()));
    return copies;
  }

  /// Waits until each shows how many they are, wherever they are.
  static bool all_show_their_number(Copies& copies) {
    const int count = static_cast<int>(copies.size());
    return eventually([&] { return std::ranges::all_of(copies, [&](Copy& copy) { return copy.shown() == count; }); });
  }

  /// All show the count in one segment.
  void expect_together(Copies& copies) const {
    EXPECT_TRUE(all_show(copies));
    EXPECT_TRUE(eventually([&] { return removed_segments(key()) == 0; })) << "somebody is still in a removed segment";
  }
};

TEST_F(Ipcrm, StartsBringAllTogether) {
  for (const auto& [before, after] : {std::pair{4, 1}, std::pair{scaled(30), scaled(30)}}) {
    Copies copies = start_and_remove(before);
    std::ranges::move(start_many(after), std::back_inserter(copies));
    expect_together(copies);
    expect_clean_end(copies);
  }
}

TEST_F(Ipcrm, ThoseWhoAreLeftBehindGoOnTogether) {
  Copies copies = start_and_remove(4);
  take(copies, 3).destroy();
  EXPECT_TRUE(all_show_their_number(copies));
  EXPECT_EQ(take(copies, 2).stop(), 0);
  EXPECT_TRUE(all_show_their_number(copies));
  expect_clean_end(copies);
}

TEST_F(Ipcrm, AgainAndAgainWhileAllAreMoving) {
  std::mt19937 random{seed()};
  Copies copies = start_many(5);
  for (int i = 0; i < scaled(40); ++i) {
    std::this_thread::sleep_for(std::chrono::microseconds{random() % 20000});
    remove_segment(key());
    if (random() % 3 == 0 && copies.size() > 3) {
      Copy chosen = take(copies, random() % copies.size());
      chosen.signal(random() % 2 == 0 ? SIGKILL : SIGTERM);
      chosen.exit_code();
    }
    copies.push_back(start());
  }
  expect_together(copies);
  expect_clean_end(copies);
}

TEST_F(Ipcrm, ACopyThatWasStoppedMeanwhileJoinsWhenItGoesOn) {
  Copies copies = start_together(3);
  copies[1].signal(SIGSTOP);
  ASSERT_TRUE(remove_segment(key()));
  copies.push_back(start());
  EXPECT_TRUE(all_show({&copies[0], &copies[2], &copies[3]}, 3));
  copies[1].signal(SIGCONT);
  expect_together(copies);
  for (Copy& copy : copies) EXPECT_FALSE(contains(copy.output(), "killed")) << "it only was somewhere else";
}

TEST_F(Ipcrm, ItsLastOneCanLeaveJustWhenAnotherOneComes) {
  for (int round = 0; round < scaled(40) && !HasFailure(); ++round) {
    SCOPED_TRACE(round);
    Copies copies = start_and_remove(2);
    copies[0].signal(SIGTERM);
    copies.push_back(start());
    EXPECT_EQ(take(copies, 0).exit_code(), 0);
    expect_together(copies);
    expect_clean_end(copies);
  }
}

TEST_F(Ipcrm, TheCopyThatBringsThemTogetherCanBeKilledAtIt) {
  std::mt19937 random{seed()};
  for (int round = 0; round < scaled(40) && !HasFailure(); ++round) {
    SCOPED_TRACE(round);
    Copies copies = start_and_remove(2);
    Copy victim = start();
    std::this_thread::sleep_for(std::chrono::microseconds{random() % 4000});
    victim.destroy();
    copies.push_back(start());
    expect_together(copies);
    expect_clean_end(copies);
  }
}

/// Why a new segment cannot be had.
struct Refusal {
  const char* name;
  std::function<std::function<void()>(key_t)> begin;  ///< and what ends it
  const char* message;
};

std::function<void()> take_key(key_t key) {
  const RawSegment foreign{key, 100};
  return [=] { remove_segment(key); };
}

/// Sets a limit of the system that leaves no room for another segment.
std::function<void()> set_limit(const char* limit) {
  const std::string file = fmt::format("/proc/sys/kernel/{}", limit);
  std::string before;
  std::ifstream{file} >> before;
  std::ofstream{file} << 0 << std::flush;
  return [=] { std::ofstream{file} << before << std::flush; };
}

class NoNewSegment : public Ipcrm, public testing::WithParamInterface<Refusal> {
 protected:
  void SetUp() override {
    if (unshare(CLONE_NEWIPC) != 0) GTEST_SKIP() << "needs an IPC namespace of its own, for limits of its own";
    Ipcrm::SetUp();
  }
};

TEST_P(NoNewSegment, AllStayInTheRemovedOneAndSaySoOnceAndMoveWhenTheyCan) {
  Copies copies = start_together(5);
  ASSERT_TRUE(remove_segment(key()));
  const auto end_refusal = GetParam().begin(key());
  EXPECT_EQ(ask_here({"--for", "0.01"}).exit_code, 1);
  for (int i = 0; i < 2; ++i) {
    take(copies, copies.size() - 1).destroy();
    EXPECT_TRUE(all_show_their_number(copies));
  }
  EXPECT_EQ(take(copies, 0).stop(), 0);
  EXPECT_TRUE(all_show_their_number(copies));
  end_refusal();
  copies.push_back(start());
  expect_together(copies);
  for (Copy& copy : {std::ref(copies[0]), std::ref(copies[1])}) {
    const std::string& notes = copy.notes();
    const std::size_t first = notes.find("no new segment can be had: ");
    ASSERT_NE(first, std::string::npos) << notes;
    EXPECT_TRUE(contains(notes.substr(first), GetParam().message));
    EXPECT_EQ(notes.find("no new segment can be had", first + 1), std::string::npos) << "once is enough";
  }
  expect_clean_end(copies);
}

INSTANTIATE_TEST_SUITE_P(Each, NoNewSegment,
                         testing::Values(Refusal{"ForeignSegment", take_key, "another program's data"},
                                         Refusal{"Shmmni", [](key_t) { return set_limit("shmmni"); }, "No space left"},
                                         Refusal{"Shmall", [](key_t) { return set_limit("shmall"); }, "No space left"}),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace share_data::test
