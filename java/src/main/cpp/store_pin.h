// The PIN that came as the store password: kept for the next login, which a rebooted HSM will want.
#pragma once

#include <mutex>
#include <optional>
#include <string_view>

#include "native/pkcs11/pin.h"

namespace keystay::jni {

// Thread-safe.
class StorePin final {
 public:
  [[nodiscard]] bool known() const;
  // False if another PIN is known. Nothing is sent to the token.
  [[nodiscard]] bool equals(const pkcs11::Pin& pin) const;

  void set(pkcs11::Pin pin);
  void forget() noexcept;

  // A copy. Throws pkcs11::Error (authentication) that says where to give the PIN, if none is known.
  [[nodiscard]] pkcs11::Pin copy(std::string_view token_label) const;

 private:
  mutable std::mutex mutex_;
  std::optional<pkcs11::Pin> pin_;
};

}  // namespace keystay::jni
