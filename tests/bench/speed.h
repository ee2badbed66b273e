// Signatures per second of all contenders, by Google Benchmark.
#pragma once

#include <vector>

#include "tests/bench/contender.h"

namespace keystay::bench {

// Runs what Google Benchmark's command line in `arguments` asks for; without one, nine repetitions in random
// order, so that whatever else the machine does meets all contenders alike. Prints the table of ratios last.
void run_speed(const std::vector<Contender>& contenders, std::vector<std::string> arguments);

}  // namespace keystay::bench
