#include "native/pkcs11/single_flight.h"

#include "native/pkcs11/error.h"

namespace keystay::pkcs11 {

bool SingleFlight::run(Deadline deadline, const std::function<void()>& body) {
  MutexLock lock(mutex_);
  if (runner_ == std::this_thread::get_id()) {
    throw Error(ErrorClass::busy, "the PKCS#11 module calls back into Keystay while it is being initialised");
  }
  if (runner_ != std::thread::id{}) {
    while (runner_ != std::thread::id{}) {
      const bool is_late = lock.wait_until(ended_, deadline) == std::cv_status::timeout;
      if (is_late && runner_ != std::thread::id{})
        throw Error(ErrorClass::busy, "the PKCS#11 module did not answer in time; is the HSM reachable?");
    }
    return false;
  }
  runner_ = std::this_thread::get_id();
  lock.unlock();

  struct End {
    SingleFlight& flight;
    ~End() {
      const MutexLock ending(flight.mutex_);
      flight.runner_ = {};
      flight.ended_.notify_all();
    }
  } end{*this};
  body();
  return true;
}

}  // namespace keystay::pkcs11
