#include "tests/tlsd/failing_allocation.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace keystay::test {
namespace {

std::atomic<std::size_t> allocations_left = 0;  // until the one that fails; 0: none fails
std::atomic<bool> has_failed = false;
thread_local bool exempt = false;

bool fails_now() noexcept {
  if (exempt) return false;
  std::size_t left = allocations_left.load();
  while (left > 0 && !allocations_left.compare_exchange_weak(left, left - 1)) continue;
  if (left != 1) return false;
  has_failed = true;
  return true;
}

}  // namespace

FailingAllocation::FailingAllocation(std::size_t nth) noexcept {
  has_failed = false;
  allocations_left = nth;
}

FailingAllocation::~FailingAllocation() { allocations_left = 0; }

bool FailingAllocation::failed() const noexcept { return has_failed; }

void exempt_this_thread() noexcept { exempt = true; }

}  // namespace keystay::test

void* operator new(std::size_t size) {
  if (keystay::test::fails_now()) throw std::bad_alloc();
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

// Inlined, the compiler would see what operator new gave freed by free(3), and warn.
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
