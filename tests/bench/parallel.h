// Signatures of several threads at a time: how many, and how long each takes.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include "tests/bench/contender.h"

namespace keystay::bench {

struct ParallelOptions {
  std::vector<unsigned> threads;        // numbers of them
  std::string_view peer;                // the contender that the others are set beside
  std::chrono::milliseconds turn{500};  // of each contender
  unsigned turns = 7;                   // of which the table has the medians
};

// P-256 signatures of all contenders, in turns of random order, for each number of threads. Prints a table:
// signatures per second of all threads together, the median and the 99th percentile of the time that one
// takes, and both beside the peer. Whatever a thread throws, this throws.
void compare_in_parallel(const std::vector<Contender>& contenders, const ParallelOptions& options);

}  // namespace keystay::bench
