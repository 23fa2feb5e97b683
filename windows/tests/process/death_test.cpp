// Copies that are terminated.
#include <gtest/gtest.h>

#include <windows.h>

#include <chrono>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "copies.h"
#include "shared_memory.h"
#include "win32.h"

namespace share_data::test {
namespace {

TEST(Death, TheOthersSeeAKilledCopy) {
  const Folder folder;
  Copies copies;
  start(copies, 12, folder.exe());
  ASSERT_TRUE(all_show(copies, 12)) << all_output(copies);
  for (int i = 0; i < 5; ++i) {
    copies.front().terminate();
    copies.pop_front();
  }
  EXPECT_TRUE(all_show(copies, 7)) << all_output(copies);
  for (const Copy& copy : copies) EXPECT_TRUE(says(copy, "killed")) << copy.output();
  EXPECT_TRUE(eventually([&] { return says(copies.front(), "(a plain ++/-- counter now says 12)"); }))
      << copies.front().output();
}

TEST(Death, IsToldFromLeavingHoweverOftenTheSlotWasUsedSince) {
  const Folder folder;
  const Copy stopped{folder.exe()};
  const Copy witness{folder.exe()};
  ASSERT_TRUE(eventually([&] { return stopped.shows() == 2U && witness.shows() == 2U; }));
  Copies killed;
  start(killed, 2, folder.exe());
  const Copy left{folder.exe(), {L"--for", L"2"}};
  ASSERT_TRUE(eventually([&] { return stopped.shows() == 5U; })) << stopped.output();
  stopped.suspend();
  EXPECT_EQ(left.exit_code(), DWORD{0});
  for (const Copy& copy : killed) copy.terminate();
  for (int i = 0; i < 6; ++i) EXPECT_EQ(Copy(folder.exe(), {L"--for", L"0.01"}).exit_code(), DWORD{0});
  stopped.resume();
  for (const Copy* copy : {&stopped, &witness}) {
    const auto says_of = [&](const char* what, const Copy& of) {
      return matches(copy->output(), what + std::string{"( \\d+)* "} + std::to_string(of.pid()) + "[ \n]");
    };
    for (const Copy& victim : killed) EXPECT_TRUE(eventually([&] { return says_of("x", victim); })) << copy->output();
    EXPECT_TRUE(eventually([&] { return says_of("-", left); })) << copy->output();
    for (const Copy& victim : killed) EXPECT_FALSE(says_of("-", victim)) << copy->output();
    EXPECT_FALSE(says_of("x", left)) << copy->output();
  }
}

TEST(Death, IsKnownToAllWithinASecond) {
  const Folder folder;
  Copies copies;
  start(copies, 5, folder.exe());
  ASSERT_TRUE(all_show(copies, 5));
  const std::string killed = "x " + std::to_string(copies.back().pid()) + " was killed";
  const auto begin = std::chrono::steady_clock::now();
  TerminateProcess(copies.back().process(), 1);
  copies.pop_back();
  ASSERT_TRUE(all_show(copies, 4));
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  RecordProperty("milliseconds", std::to_string(took.count()));
  EXPECT_LT(took.count(), 1000);
  for (const Copy& copy : copies) EXPECT_TRUE(says(copy, killed)) << copy.output();
}

TEST(Death, AllButOneAreKilledAtOnce) {
  const Folder folder;
  Copies copies;
  start(copies, 12, folder.exe());
  ASSERT_TRUE(all_show(copies, 12)) << all_output(copies);
  for (auto copy = std::next(copies.begin()); copy != copies.end(); ++copy) TerminateProcess(copy->process(), 1);
  EXPECT_TRUE(eventually([&] { return copies.front().shows() == 1U; })) << copies.front().output();
  Copy newcomer{folder.exe()};
  EXPECT_TRUE(eventually([&] { return newcomer.shows() == 2U; })) << newcomer.output();
}

TEST(Death, ACopyKilledAnywhereInItsStartIsNotCounted) {
  const Folder folder;
  Copies witnesses;
  start(witnesses, 2, folder.exe());
  ASSERT_TRUE(all_show(witnesses, 2));
  std::mt19937 random{20240506};  // NOLINT(cert-msc32-c,cert-msc51-cpp): repeatable on purpose
  for (int round = 0; round < 25; ++round) {
    const Copy victim{folder.exe()};
    if (random() % 4 == 0) {
      (void)eventually([&] { return victim.shows().has_value(); });
    } else {
      Sleep(random() % 60);
    }
    victim.terminate();
  }
  EXPECT_TRUE(all_show(witnesses, 2)) << all_output(witnesses);
  const Copy newcomer{folder.exe()};
  EXPECT_TRUE(eventually([&] { return newcomer.shows() == 3U; })) << newcomer.output();
  EXPECT_TRUE(all_show(witnesses, 3)) << all_output(witnesses);
}

TEST(Death, AfterAllWereKilledAFreshStartShowsOneAtOnce) {
  const Folder folder;
  const std::vector<std::wstring> mapping{L"--via", L"mapping", L"--name", unique_name()};
  const Copy witness{folder.exe(), Start{.arguments = mapping, .suspended = true}};
  const SharedMemory table = open_or_create_mapping(to_utf8(mapping.back()), Log{{}, 0});  // so that it outlives them
  Copies copies;
  start(copies, 12, folder.exe(), Start{.arguments = mapping});
  ASSERT_TRUE(all_show(copies, 12)) << all_output(copies);
  for (const Copy& copy : copies) TerminateProcess(copy.process(), 1);
  copies.clear();
  witness.resume();
  EXPECT_TRUE(eventually([&] { return witness.shows().has_value(); })) << witness.notes();
  EXPECT_TRUE(says(witness, " 1 live  joined")) << witness.output();
}

}  // namespace
}  // namespace share_data::test
