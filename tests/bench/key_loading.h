// Loading keys: one alias among many on the token.
#pragma once

#include <cstddef>

#include "tests/bench/bench_token.h"

namespace keystay::bench {

// Puts so many aliases on the token, and prints how long it takes to load one of them, beside what the bare
// module takes for two searches: by class and label, for a private key and for a public one.
void measure_key_loading(const BenchToken& token, std::size_t aliases);

}  // namespace keystay::bench
