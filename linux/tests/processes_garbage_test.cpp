// Anybody who may write to the segment can write anything into it. No copy crashes or hangs over it, none sends
// a signal to whoever is named there, and once it stops, the count is right again.
#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <random>
#include <thread>

#include "bystander.h"
#include "copies_test.h"
#include "seed.h"
#include "table.h"

namespace share_data::test {
namespace {

class Garbage : public CopiesTest {
 protected:
  void SetUp() override {
    CopiesTest::SetUp();
    copies = start_many(3);
    ASSERT_TRUE(all_show(copies, 3));
    segment = std::make_unique<RawSegment>(key());
  }

  [[nodiscard]] Table& table() const { return segment->as<Table>(); }

  /// Writes something into the live segment, as another process would, and wakes everybody to see it.
  void write_garbage(const std::function<void()>& write) const {
    write();
    table().announce();
  }

  /// The same all over the segment. `changes` is overwritten too, so it can come to have a value again that a
  /// copy has seen before and goes to sleep on; the next change wakes it. Here there always is a next one.
  void write_garbage_all_over(const std::function<std::byte()>& byte) {
    others_go_on_ = true;
    write_garbage([&] { std::ranges::generate(segment->bytes(), byte); });
  }

  void fill_slots(Slot value) {
    for (auto& slot : table().slots) slot = value;
  }

  /// Like all_show(), where the kernel is no witness: we are attached ourselves, for one.
  [[nodiscard]] testing::AssertionResult all_show_again(int count) {
    const auto shows_it = [&](Copy& copy) { return copy.shown() == count; };
    const bool healed = eventually([&] {
      if (others_go_on_) table().announce();
      return table().occupied() == static_cast<std::uint32_t>(count) && std::ranges::all_of(copies, shows_it);
    });
    if (healed) return testing::AssertionSuccess();
    return testing::AssertionFailure() << table().occupied() << " slots are occupied; " << copies[0].pid()
                                       << " says:\n"
                                       << copies[0].output() << copies[0].notes();
  }

  /// Nobody has been harmed, the copies go on as if nothing had happened, and leave nothing behind.
  void expect_healed() {
    EXPECT_TRUE(all_show_again(3));
    EXPECT_TRUE(bystander.is_unharmed());
    copies.back().destroy();
    copies.pop_back();
    EXPECT_TRUE(all_show_again(2));
    segment.reset();
    EXPECT_TRUE(all_leave(copies));
    EXPECT_TRUE(nothing_is_left());
    EXPECT_TRUE(bystander.is_unharmed());
  }

  Copies copies;
  std::unique_ptr<RawSegment> segment;
  Bystander bystander;

 private:
  bool others_go_on_ = false;
};

TEST_F(Garbage, RandomBytesAllOver) {
  std::mt19937 random{seed()};
  for (int round = 0; round < 5; ++round) {
    write_garbage(
        [&] { std::ranges::generate(segment->bytes(), [&] { return static_cast<std::byte>(random()); }); });
    EXPECT_TRUE(all_show_again(3));
  }
  expect_healed();
}

TEST_F(Garbage, RandomBytesInTheSlots) {
  std::mt19937_64 random{seed()};
  write_garbage([&] { std::ranges::generate(table().slots, [&] { return random(); }); });
  EXPECT_TRUE(all_show_again(3));
  copies.push_back(start());
  EXPECT_TRUE(all_show_again(4));
  copies.pop_back();
  expect_healed();
}

TEST_F(Garbage, AllOnes) {
  write_garbage_all_over([] { return std::byte{0xff}; });
  expect_healed();
}

TEST_F(Garbage, ACopyThatIsKilledWhileTheTableHealsIsNotCounted) {
  write_garbage_all_over([] { return std::byte{0xff}; });
  copies.back().destroy();
  copies.pop_back();
  EXPECT_TRUE(all_show_again(2));
}

TEST_F(Garbage, AllZeros) {
  write_garbage_all_over([] { return std::byte{0}; });
  expect_healed();
}

TEST_F(Garbage, ADestroyedMagicKeepsNewcomersOutAndTheOthersTogether) {
  write_garbage([&] { table().magic = 42; });
  const Answer answer = ask_here({});
  EXPECT_EQ(answer.exit_code, 1);
  EXPECT_NE(answer.notes.find("another program's data"), std::string::npos) << answer.notes;
  expect_healed();
}

TEST_F(Garbage, PidsThatMeanAllProcesses) {
  for (const std::uint64_t pid : {0ULL, 1ULL, 0x7fff'ffffULL, 0x7fff'fffeULL}) {
    write_garbage([&] { fill_slots(pid << 32U | 12345U); });
    EXPECT_TRUE(all_show_again(3)) << pid;
  }
  expect_healed();
}

TEST_F(Garbage, ACopyInSeveralSlotsCountsOnce) {
  for (const std::size_t slot : {0U, 1U, 2U}) {
    // Slot 3 was free; the others were somebody's.
    const Slot copy = slot_of(identity_of(copies[slot].pid()));
    write_garbage([&] {
      table().slots[3] = copy;
      table().slots[(slot + 1) % 3] = copy;
      table().used = 4;
    });
    EXPECT_TRUE(all_show_again(3));
  }
  expect_healed();
}

TEST_F(Garbage, ACopyThatMovesOutOfTwoSlotsIntoOneIsOneLess) {
  copies[1].signal(SIGSTOP);  // else it would keep to one slot by itself
  ASSERT_TRUE(is_stopped(copies[1]));
  const Slot copy = slot_of(identity_of(copies[1].pid()));
  write_garbage([&] {
    table().slots[3] = copy;
    table().distrust_used();
  });
  EXPECT_TRUE(eventually([&] { return copies[0].shown() == 4 && copies[2].shown() == 4; }));
  table().release(Identity{copy});
  write_garbage([&] { table().slots[5] = copy; });
  EXPECT_TRUE(eventually([&] { return copies[0].shown() == 3 && copies[2].shown() == 3; }));
  copies[1].signal(SIGCONT);
  expect_healed();
}

TEST_F(Garbage, TheIdentityOfALivingBystanderInOneSlot) {
  write_garbage([&] { table().slots[1000] = slot_of(bystander.identity()); });
  EXPECT_TRUE(eventually([&] { return copies[0].shown() >= 3; }));
  EXPECT_TRUE(bystander.is_unharmed());
  bystander.bury();
  EXPECT_TRUE(all_show_again(3)) << "at the latest when the bystander is gone";
}

TEST_F(Garbage, TheIdentityOfALivingBystanderInAllSlots) {
  write_garbage([&] { fill_slots(slot_of(bystander.identity())); });
  for (Copy& copy : copies) {
    // There is no room left. Whether a copy stays or gives up, it does not hang.
    copy.signal(SIGTERM);
    EXPECT_GE(copy.exit_code().value_or(-1), 0) << copy.notes();
  }
  EXPECT_TRUE(bystander.is_unharmed());
  bystander.bury();
  segment.reset();
  Copy fresh = start();
  ASSERT_TRUE(fresh.prints("joined"));
  EXPECT_EQ(live_on(fresh.lines().front()), 1);
  EXPECT_EQ(fresh.stop(), 0);
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(Garbage, ALivingProcessThatSeemsToRemoveTheSegmentHoldsUpNobodyForLong) {
  write_garbage([&] { table().retiring = slot_of(bystander.identity()); });
  copies.push_back(start());
  EXPECT_TRUE(all_show_again(4));
  copies.pop_back();
  expect_healed();
}

TEST_F(Garbage, ALivingProcessThatSeemsToBeAdmittedHoldsUpNobodyForLong) {
  write_garbage([&] { table().admitting = slot_of(bystander.identity()); });
  EXPECT_EQ(ask_here({"--max", "3"}).exit_code, 3);
  copies.push_back(start({"--max", "4"}));
  EXPECT_TRUE(all_show_again(4));
  copies.pop_back();
  expect_healed();
}

TEST_F(Garbage, ACopyThatSeemsToHaveBeenMournedAlreadyIsNotCountedWhenItDies) {
  write_garbage([&] { table().mourned = slot_of(identity_of(copies.back().pid())); });
  // Until each watches the others. Were this too short, the test would not see what it is after, but pass.
  std::this_thread::sleep_for(std::chrono::milliseconds{500});
  copies.back().destroy();
  copies.pop_back();
  EXPECT_TRUE(all_show_again(2));
}

TEST_F(Garbage, StatusLooksAtAnything) {
  std::mt19937_64 random{seed()};
  for (int round = 0; round < 10; ++round) {
    std::ranges::generate(table().slots, [&] { return random(); });
    const int exit_code = ask_here({"--status", "--json"}).exit_code;
    EXPECT_EQ(exit_code, 0);
  }
  fill_slots(slot_of(bystander.identity()));
  EXPECT_EQ(ask_here({"--status"}).output.find("1 live\n"), 0U);
  EXPECT_TRUE(bystander.is_unharmed());
}

}  // namespace
}  // namespace share_data::test
