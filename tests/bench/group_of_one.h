// What a group costs that has one member.
#pragma once

#include "tests/bench/bench_token.h"

namespace keystay::bench {

// Prints the processor time of a signature through the group beside that through its lone token, for each of
// Keystay's ways to sign: turns of both in random order, and the median of the differences.
void measure_group_of_one(const BenchToken& token);

}  // namespace keystay::bench
