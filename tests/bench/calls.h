// What one signature costs in module calls and in allocations.
#pragma once

#include "tests/bench/bench_token.h"

namespace keystay::bench {

// Prints a table for all contenders, counted over many signatures after a warm-up. Returns false, and says
// so, if Keystay itself calls anything but one C_SignInit and one C_Sign per signature, or if a group of one
// allocates more than its lone token. The token has the fault module in front, which counts.
[[nodiscard]] bool count_calls(BenchToken& token);

}  // namespace keystay::bench
