// Random numbers that can be had again.
#pragma once

#include <cstdlib>
#include <iostream>
#include <random>

namespace share_data::test {

/// A new seed for each run, which is printed; or the one in SHARE_DATA_TEST_SEED, to repeat a run.
inline unsigned seed() {
  const char* const wanted = std::getenv("SHARE_DATA_TEST_SEED");  // NOLINT(concurrency-mt-unsafe): one thread
  const unsigned value = wanted != nullptr ? static_cast<unsigned>(std::stoul(wanted)) : std::random_device{}();
  std::cout << "SHARE_DATA_TEST_SEED=" << value << std::endl;  // at once: the test may not live to its end
  return value;
}

}  // namespace share_data::test
