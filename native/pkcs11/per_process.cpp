#include "native/pkcs11/per_process.h"

#include <pthread.h>

namespace keystay::pkcs11 {
namespace {

std::atomic<std::uint64_t> generation{0};

void count_child() noexcept { generation.fetch_add(1, std::memory_order_relaxed); }

}  // namespace

std::uint64_t process_generation() noexcept {
  static const int installed = ::pthread_atfork(nullptr, nullptr, count_child);
  static_cast<void>(installed);  // ENOMEM only; a process this short of memory fails elsewhere
  return generation.load(std::memory_order_relaxed);
}

}  // namespace keystay::pkcs11
