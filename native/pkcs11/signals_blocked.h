// Threads of ours get no signals: they are the application's.
#pragma once

#include <pthread.h>
#include <signal.h>

namespace keystay::pkcs11 {

// A thread that is started while this lives has all signals blocked. For the starting thread nothing changes
// afterwards.
class SignalsBlocked final {
 public:
  SignalsBlocked() noexcept {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace keystay::pkcs11
