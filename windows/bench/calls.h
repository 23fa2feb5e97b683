// How often copies call the system, counted in what wineserver, which is Wine's kernel, writes down of each request.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "crowd.h"

namespace share_data::bench {

/// Requests of main threads. Each copy has a second one that writes a line; that one is not counted.
struct Calls {
  unsigned to_tell = 0;  ///< the most that somebody took to tell everybody: from opening the event to closing it
  unsigned teller = 0;   ///< the most of those who told, that and all the rest, until they slept again
  unsigned all = 0;      ///< of all copies together
};

/// The file that `wineserver -d` writes.
class Trace {
 public:
  explicit Trace(std::filesystem::path file) : file_(std::move(file)) {}

  /// From now on.
  void begin() { begin_ = std::filesystem::file_size(file_); }

  /// What the main threads of `crowd` have called since begin(), those of a `newcomer` since it joined, which begins
  /// with its first event. Throws if nobody has told anything.
  [[nodiscard]] Calls calls(const Crowd& crowd, const Process* newcomer) const;

 private:
  std::filesystem::path file_;
  std::uintmax_t begin_ = 0;
};

}  // namespace share_data::bench
