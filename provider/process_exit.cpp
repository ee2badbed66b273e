#include "provider/process_exit.h"

#include <atomic>
#include <new>

namespace keystay::provider {
namespace {

std::atomic<bool> exiting{false};

struct ExitMark {
  ~ExitMark() { exiting.store(true, std::memory_order_release); }
};
const ExitMark mark;

struct Left {
  const void* object;
  Left* before;
};
std::atomic<Left*> left{nullptr};

}  // namespace

bool process_is_exiting() noexcept { return exiting.load(std::memory_order_acquire); }

void leave_to_process(const void* object) noexcept {
  if (!object) return;
  auto* last = new (std::nothrow) Left{object, left.load(std::memory_order_relaxed)};
  if (!last) return;  // kept all the same
  while (!left.compare_exchange_weak(last->before, last, std::memory_order_acq_rel)) {
  }
}

}  // namespace keystay::provider
