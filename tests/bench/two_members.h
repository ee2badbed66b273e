// What a group of two members does beside one of them.
#pragma once

namespace keystay::bench {

// Two equal tokens that take 5 ms longer for each C_Sign and have eight sessions each; prints the
// signatures of 8, 16 and 32 threads through both, through one, and through a group of that one.
void measure_two_members();

}  // namespace keystay::bench
