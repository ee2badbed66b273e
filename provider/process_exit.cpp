#include "provider/process_exit.h"

#include <atomic>

namespace keystay::provider {
namespace {

std::atomic<bool> exiting{false};

struct ExitMark {
  ~ExitMark() { exiting.store(true, std::memory_order_release); }
};
const ExitMark mark;

}  // namespace

bool process_is_exiting() noexcept { return exiting.load(std::memory_order_acquire); }

}  // namespace keystay::provider
