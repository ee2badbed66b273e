// What a process remembers of its logins at the tokens of one module.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "native/pkcs11/pin.h"
#include "native/pkcs11/single_flight.h"

namespace keystay::pkcs11 {

// One token's: shared by all Token objects that a process has of it, so that together they try a wrong PIN
// once.
struct LoginHistory {
  SingleFlight attempt;        // one login at a time
  std::optional<Pin> refused;  // by the last C_Login; only the thread that flies touches it
};

// Thread-safe.
class LoginHistories final {
 public:
  // Of the token with this CK_TOKEN_INFO.label and serialNumber; lives as long as this object.
  [[nodiscard]] LoginHistory& of(const std::string& label, const std::string& serial) {
    const std::lock_guard lock(mutex_);
    return histories_[{label, serial}];
  }

 private:
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, LoginHistory> histories_;
};

}  // namespace keystay::pkcs11
