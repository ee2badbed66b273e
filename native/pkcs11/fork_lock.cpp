#include "native/pkcs11/fork_lock.h"

#include <pthread.h>

namespace keystay::pkcs11 {
namespace {

constinit pthread_mutex_t mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

void before_fork() noexcept { ::pthread_mutex_lock(&mutex); }
void in_parent() noexcept { ::pthread_mutex_unlock(&mutex); }
// Its owner is the parent's thread, which the child's is not.
void in_child() noexcept { mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP; }

// When the library is loaded: at a first use, another thread might fork in the middle of it.
[[maybe_unused]] const int installed = ::pthread_atfork(before_fork, in_parent, in_child);

}  // namespace

ForkLock::ForkLock() noexcept { ::pthread_mutex_lock(&mutex); }

ForkLock::~ForkLock() { ::pthread_mutex_unlock(&mutex); }

}  // namespace keystay::pkcs11
