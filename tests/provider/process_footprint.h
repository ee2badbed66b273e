// What this process holds: memory, descriptors, threads.
#pragma once

#include <cstddef>

namespace keystay::test {

struct Footprint {
  std::size_t resident_kib;
  std::size_t descriptors;
  std::size_t threads;

  [[nodiscard]] static Footprint now();
  // AddressSanitizer keeps what is freed; it finds leaks by itself.
  [[nodiscard]] static constexpr bool memory_is_quarantined() {
#ifdef __SANITIZE_ADDRESS__
    return true;
#else
    return false;
#endif
  }
};

// Nobody looks for leaks when this process ends: what a call that hangs still uses is left to it.
void end_without_a_leak_check();

// Those that jobs are woken by; other descriptors come and go while a token works.
[[nodiscard]] std::size_t open_eventfds();

// Waits until there are so many, at most 20 s: the thread that has ended a job, or itself, is a moment
// behind.
[[nodiscard]] bool wait_for_eventfds(std::size_t count);
[[nodiscard]] bool wait_for_threads(std::size_t count);

}  // namespace keystay::test
