// The operator new of a test program that can fail once, on any thread but those that are exempt.
#pragma once

#include <cstddef>

namespace keystay::test {

// While this lives, the `nth` allocation (from 1) of the threads that are not exempt throws std::bad_alloc.
class FailingAllocation final {
 public:
  explicit FailingAllocation(std::size_t nth) noexcept;
  FailingAllocation(const FailingAllocation&) = delete;
  FailingAllocation& operator=(const FailingAllocation&) = delete;
  ~FailingAllocation();

  // Whether there were so many.
  [[nodiscard]] bool failed() const noexcept;
};

// The calling thread's allocations are not counted and never fail.
void exempt_this_thread() noexcept;

}  // namespace keystay::test
