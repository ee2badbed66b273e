#include "tests/bench/allocation_count.h"

#include <cstddef>

namespace {

// In the executable's own TLS block, which is there before the first allocation.
thread_local std::uint64_t allocations = 0;

}  // namespace

extern "C" {

// glibc's own, for programs that replace malloc ("Replacing malloc", The GNU C Library Reference Manual).
void* __libc_malloc(std::size_t size);                     // NOLINT(bugprone-reserved-identifier)
void* __libc_calloc(std::size_t count, std::size_t size);  // NOLINT(bugprone-reserved-identifier)
void* __libc_realloc(void* memory, std::size_t size);      // NOLINT(bugprone-reserved-identifier)
void __libc_free(void* memory);                            // NOLINT(bugprone-reserved-identifier)

__attribute__((visibility("default"))) void* malloc(std::size_t size) {
  ++allocations;
  return __libc_malloc(size);
}

__attribute__((visibility("default"))) void* calloc(std::size_t count, std::size_t size) {
  ++allocations;
  return __libc_calloc(count, size);
}

__attribute__((visibility("default"))) void* realloc(void* memory, std::size_t size) {
  ++allocations;
  return __libc_realloc(memory, size);
}

__attribute__((visibility("default"))) void free(void* memory) { __libc_free(memory); }

}  // extern "C"

namespace keystay::bench {

std::uint64_t allocations_of_this_thread() noexcept { return allocations; }

}  // namespace keystay::bench
