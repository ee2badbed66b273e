#include "java/src/main/cpp/store_pin.h"

#include <string>
#include <utility>

#include "native/pkcs11/error.h"

namespace keystay::jni {

bool StorePin::known() const {
  const std::lock_guard lock(mutex_);
  return pin_.has_value();
}

bool StorePin::equals(const pkcs11::Pin& pin) const {
  const std::lock_guard lock(mutex_);
  return pin_ && pin_->equals(pin);
}

void StorePin::set(pkcs11::Pin pin) {
  const std::lock_guard lock(mutex_);
  pin_ = std::move(pin);
}

void StorePin::forget() noexcept {
  const std::lock_guard lock(mutex_);
  pin_.reset();
}

pkcs11::Pin StorePin::copy(std::string_view token_label) const {
  const std::lock_guard lock(mutex_);
  if (!pin_) {
    throw pkcs11::Error(pkcs11::ErrorClass::authentication,
                        "token \"" + std::string(token_label) +
                            "\" wants its PIN: give it as the password of the key store, or say where it is "
                            "with pin = \"file:/path\" in keystay.toml");
  }
  return pin_->copy();
}

}  // namespace keystay::jni
