#include "native/pkcs11/single_flight.h"

#include "native/pkcs11/error.h"

namespace keystay::pkcs11 {

bool SingleFlight::run(Deadline deadline, const std::function<void()>& body) {
  std::unique_lock lock(mutex_);
  if (runner_ == std::this_thread::get_id()) {
    throw Error(ErrorClass::busy, "the PKCS#11 module calls back into Keystay while it is being initialised");
  }
  if (runner_ != std::thread::id{}) {
    if (!ended_.wait_until(lock, deadline, [this] { return runner_ == std::thread::id{}; })) {
      throw Error(ErrorClass::busy, "the PKCS#11 module did not answer in time; is the HSM reachable?");
    }
    return false;
  }
  runner_ = std::this_thread::get_id();
  lock.unlock();

  struct End {
    SingleFlight& flight;
    ~End() {
      const std::lock_guard guard(flight.mutex_);
      flight.runner_ = {};
      flight.ended_.notify_all();
    }
  } end{*this};
  body();
  return true;
}

}  // namespace keystay::pkcs11
