// What happens to a call before it may go on to the token.
#pragma once

#include <chrono>
#include <optional>

#include "native/pkcs11/cryptoki.h"
#include "tests/support/fault_module/control_block.h"

namespace keystay::test {

// Counts a call from its coming to its going.
class CountedCall final {
 public:
  explicit CountedCall(FunctionControl& function) noexcept;
  CountedCall(const CountedCall&) = delete;
  CountedCall& operator=(const CountedCall&) = delete;
  ~CountedCall();

 private:
  FunctionControl& function_;
};

// Whether the caller runs on the stack that its thread was made with, and not on that of a job
// (ASYNC_start_job(3)), which is 32 KiB and has no guard page.
[[nodiscard]] bool is_on_stack_of_thread() noexcept;

// Ends this process, as a crash of its machine would, if this is the call that was ordered to.
void die_if_ordered(std::atomic<std::int64_t>& calls_until_kill) noexcept;
// Waits while the function is held.
void wait_while_held(const FunctionControl& function);
// One draw of the delay that was ordered; zero if none was.
[[nodiscard]] std::chrono::duration<double> drawn_delay(const FunctionControl& function);
// Sleeps for it.
void delay(const FunctionControl& function);
// The return value to answer, if one is ordered for this call.
[[nodiscard]] std::optional<CK_RV> ordered_failure(FunctionControl& function) noexcept;

}  // namespace keystay::test
