// Long chaos under each of the two ways to share. For an hour of each:
//   SHARE_DATA_SOAK_SECONDS=3600 share_data_tests.exe --gtest_filter=Soak.*
// under Wine through windows/tests/support/wine.sh, and not through ctest, which has a limit of its own.
// SHARE_DATA_TEST_SEED gives the deeds of an earlier run.
#include <gtest/gtest.h>

#include <windows.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>

#include "soak.h"

namespace share_data::test {
namespace {

using std::chrono::steady_clock;

std::uint32_t number_in(const char* variable, std::uint32_t otherwise) {
  const char* const text = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): nobody writes there
  return text != nullptr ? static_cast<std::uint32_t>(std::stoul(text)) : otherwise;
}

void soak(const std::wstring& mapping) {
  const std::uint32_t seed = number_in("SHARE_DATA_TEST_SEED", std::random_device{}());
  const std::chrono::seconds length{number_in("SHARE_DATA_SOAK_SECONDS", 8)};
  std::cout << "SHARE_DATA_TEST_SEED=" << seed << std::endl;  // at once: the test may not live to its end
  Soak soak{seed, mapping};
  int rounds = 0;
  try {
    for (const auto end = steady_clock::now() + length; steady_clock::now() < end; ++rounds) soak.run_round();
  } catch (const Wrong& wrong) {
    FAIL() << "in round " << rounds << ": " << wrong.what() << "\n" << soak.history();
  }
  std::cout << rounds << " rounds\n";
}

TEST(Soak, OfTheSectionShowsTheTruthAtEveryQuietPoint) { soak(L""); }

TEST(Soak, OfAMappingShowsTheTruthAtEveryQuietPoint) { soak(unique_name()); }

}  // namespace
}  // namespace share_data::test
