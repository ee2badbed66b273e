// The thread of a group that says when something is due: a probe, or a look at the configuration.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <thread>

#include "native/pkcs11/mutex.h"

namespace keystay::ha {

// Belongs to one process. The round calls no module itself, so that the thread always can be ended: members
// make their probes on threads of their own.
class Prober final {
 public:
  using Clock = std::chrono::steady_clock;

  // `round` does what is due, and returns when something will be. Throws std::system_error.
  explicit Prober(std::function<Clock::time_point()> round);
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;
  ~Prober();  // waits for the end of a round

  // Something has changed: a round at once.
  void look();

 private:
  void work();

  const std::function<Clock::time_point()> round_;
  pkcs11::Mutex mutex_;
  std::condition_variable wake_;
  bool changed_ KEYSTAY_GUARDED_BY(mutex_) = false;
  bool stopping_ KEYSTAY_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace keystay::ha
