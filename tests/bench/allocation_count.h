// How often this thread has asked for memory.
#pragma once

#include <cstdint>

namespace keystay::bench {

// malloc, calloc and realloc of this thread since it began, by whatever library: the program that links this
// file replaces glibc's functions by ones that count and go on to them.
[[nodiscard]] std::uint64_t allocations_of_this_thread() noexcept;

}  // namespace keystay::bench
