#include "native/ha/prober.h"

#include <utility>

#include <pthread.h>

#include "native/pkcs11/signals_blocked.h"

namespace keystay::ha {

Prober::Prober(std::function<Clock::time_point()> round) : round_(std::move(round)) {
  const pkcs11::SignalsBlocked for_the_new_thread;
  thread_ = std::thread([this] { work(); });
  pthread_setname_np(thread_.native_handle(), "keystay-probe");
}

Prober::~Prober() {
  {
    const pkcs11::MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Prober::look() {
  {
    const pkcs11::MutexLock lock(mutex_);
    changed_ = true;
  }
  wake_.notify_all();
}

void Prober::work() {
  pkcs11::MutexLock lock(mutex_);
  while (!stopping_) {
    changed_ = false;
    lock.unlock();
    const auto next = round_();
    lock.lock();
    while (!stopping_ && !changed_) {
      if (lock.wait_until(wake_, next) == std::cv_status::timeout) break;
    }
  }
}

}  // namespace keystay::ha
