// What one signature costs in module calls and in allocations.
#pragma once

#include <vector>

#include "tests/bench/contender.h"

namespace keystay::bench {

// Prints a table for all contenders, counted over many signatures after a warm-up. Returns false, and says
// so, if Keystay itself calls anything but one C_SignInit and one C_Sign per signature. The token has the
// fault module in front, which counts.
[[nodiscard]] bool count_calls(BenchToken& token, const std::vector<Contender>& contenders);

}  // namespace keystay::bench
