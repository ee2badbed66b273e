// The one lock that is not made anew in a forked child.
#pragma once

#include "native/pkcs11/mutex.h"

namespace keystay::pkcs11 {

// What a ForkLock holds, for KEYSTAY_GUARDED_BY.
class KEYSTAY_ANNOTATION(capability("mutex")) ForkMutex final {};
inline constexpr ForkMutex fork_mutex;

// A process's lock, for what its threads share before any connection to a token: the modules by path, the
// tokens of a configuration and of URIs, what was typed as a PIN. It guards short work on memory, at the
// loading of a key, never a signature, and is held over no call into a module and no reading of a file.
//
// A fork waits until no other thread holds it, so that in the child it is free and what it guards is whole
// (pthread_atfork(3)). That is why there is one for all: several would have an order. Nests.
//
// What belongs to a connection is the process's own and is made anew after a fork: per_process.h.
class KEYSTAY_ANNOTATION(scoped_lockable) ForkLock final {
 public:
  ForkLock() noexcept KEYSTAY_ANNOTATION(acquire_capability(fork_mutex));
  ForkLock(const ForkLock&) = delete;
  ForkLock& operator=(const ForkLock&) = delete;
  ~ForkLock() KEYSTAY_ANNOTATION(release_capability());
};

}  // namespace keystay::pkcs11
