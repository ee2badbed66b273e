// Work that many threads may ask for and one does, without a lock while it runs.
#pragma once

#include <condition_variable>
#include <functional>
#include <thread>

#include "native/pkcs11/cryptoki.h"
#include "native/pkcs11/mutex.h"

namespace keystay::pkcs11 {

class SingleFlight final {
 public:
  // Runs `body` if no other thread does and returns true; otherwise waits for that thread's end and returns
  // false. What `body` throws goes to its own caller. Throws Error (busy) at the deadline, and when `body`
  // itself comes back here (a module that calls into this library while it is being initialised).
  bool run(Deadline deadline, const std::function<void()>& body) KEYSTAY_EXCLUDES(mutex_);

 private:
  Mutex mutex_;
  std::condition_variable ended_;
  std::thread::id runner_ KEYSTAY_GUARDED_BY(mutex_);
};

}  // namespace keystay::pkcs11
