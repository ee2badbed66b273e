// What a process remembers of its logins at the tokens of one module.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "native/pkcs11/doubtful_logins.h"
#include "native/pkcs11/mutex.h"
#include "native/pkcs11/per_process.h"
#include "native/pkcs11/pin.h"
#include "native/pkcs11/refused_pins.h"
#include "native/pkcs11/single_flight.h"

namespace keystay::pkcs11 {

// One token's: shared by all Token objects that a process has of it, so that together they try a wrong PIN
// once, and one of which the token says nothing hardly ever. Only the thread that flies touches what else is
// here.
struct LoginHistory {
  LoginHistory(RefusedPins& refused_pins, RefusedPins::Token of)
      : refused(refused_pins), token(std::move(of)) {}

  SingleFlight attempt;  // one login at a time
  RefusedPins& refused;
  RefusedPins::Token token;
  DoubtfulLogins doubtful;
};

// Thread-safe.
class LoginHistories final {
 public:
  // `refused` is the module's, from before a fork too.
  explicit LoginHistories(RefusedPins& refused) noexcept : refused_(refused) {}

  // Of the token with this CK_TOKEN_INFO.label and serialNumber; lives as long as this object.
  [[nodiscard]] LoginHistory& of(const std::string& label, const std::string& serial) {
    const MutexLock lock(mutex_);
    const RefusedPins::Token token{label, serial};
    return histories_.try_emplace(token, refused_, token).first->second;
  }

 private:
  RefusedPins& refused_;
  Mutex mutex_;
  std::map<RefusedPins::Token, LoginHistory> histories_ KEYSTAY_GUARDED_BY(mutex_);
};

// What a process remembers so, past a fork and for as long as it runs. Several modules share one where they
// lead to the same tokens: the connections to one on another machine.
class LoginMemory final {
 public:
  LoginMemory() : histories_([this] { return std::make_unique<LoginHistories>(refused_); }) {}

  [[nodiscard]] LoginHistories& histories() { return histories_.get(); }

 private:
  RefusedPins refused_;  // across forks
  PerProcess<LoginHistories> histories_;
};

}  // namespace keystay::pkcs11
