#include "native/pkcs11/per_process.h"

#include <pthread.h>

namespace keystay::pkcs11 {
namespace {

std::atomic<std::uint64_t> generation{0};

void count_child() noexcept { generation.fetch_add(1, std::memory_order_relaxed); }

// When the library is loaded: at a first use, another thread might fork in the middle of it. It fails for
// want of memory only; a process this short of it fails elsewhere.
[[maybe_unused]] const int installed = ::pthread_atfork(nullptr, nullptr, count_child);

}  // namespace

std::uint64_t process_generation() noexcept { return generation.load(std::memory_order_relaxed); }

}  // namespace keystay::pkcs11
