#include "tests/support/fault_module/fault.h"

#include <random>
#include <thread>

#include <signal.h>
#include <unistd.h>

namespace keystay::test {

using std::memory_order_acquire;
using std::memory_order_relaxed;

CountedCall::CountedCall(FunctionControl& function) noexcept : function_(function) {
  function.calls.fetch_add(1, memory_order_relaxed);
  const std::int64_t inside = function.inside.fetch_add(1, memory_order_relaxed) + 1;
  std::int64_t peak = function.peak.load(memory_order_relaxed);
  while (inside > peak && !function.peak.compare_exchange_weak(peak, inside, memory_order_relaxed)) {
  }
}

CountedCall::~CountedCall() { function_.inside.fetch_sub(1, memory_order_relaxed); }

bool is_on_stack_of_thread() noexcept {
  struct Stack {
    const char* begin = nullptr;
    std::size_t size = 0;
    Stack() noexcept {
      pthread_attr_t attributes;
      void* address = nullptr;
      if (pthread_getattr_np(pthread_self(), &attributes) != 0) return;
      pthread_attr_getstack(&attributes, &address, &size);
      pthread_attr_destroy(&attributes);
      begin = static_cast<const char*>(address);
    }
  };
  static thread_local const Stack stack;  // of the thread, whatever stack this runs on
  const auto* here = static_cast<const char*>(__builtin_frame_address(0));
  return !stack.begin || (here >= stack.begin && here < stack.begin + stack.size);
}

void die_if_ordered(std::atomic<std::int64_t>& calls_until_kill) noexcept {
  if (calls_until_kill.load(memory_order_relaxed) <= 0) return;
  if (calls_until_kill.fetch_sub(1, memory_order_relaxed) == 1) ::kill(::getpid(), SIGKILL);
}

void wait_while_held(const FunctionControl& function) {
  while (function.held.load(memory_order_acquire)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

std::chrono::duration<double> drawn_delay(const FunctionControl& function) {
  const std::chrono::microseconds median(function.delay_us.load(memory_order_relaxed));
  const double spread = static_cast<double>(function.spread.load(memory_order_relaxed)) / 1000;
  if (median.count() == 0 || spread == 0) return median;
  static thread_local std::mt19937_64 generator{std::random_device{}()};
  return median * std::lognormal_distribution(0.0, spread)(generator);
}

void delay(const FunctionControl& function) {
  if (function.delay_us.load(memory_order_relaxed) != 0) std::this_thread::sleep_for(drawn_delay(function));
}

std::optional<CK_RV> ordered_failure(FunctionControl& function) noexcept {
  std::int64_t left = function.failures_left.load(memory_order_acquire);
  if (left != 0 && function.passes_left.fetch_sub(1, memory_order_relaxed) > 0) return std::nullopt;
  while (left != 0) {
    if (left < 0 || function.failures_left.compare_exchange_weak(left, left - 1, memory_order_acquire)) {
      return function.failure.load(memory_order_relaxed);
    }
  }
  return std::nullopt;
}

}  // namespace keystay::test
