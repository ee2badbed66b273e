// The PINs that a token has refused.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "native/pkcs11/pin_digest.h"

namespace keystay::pkcs11 {

// Of one token, in memory that processes share (login_record.h). The last sixteen: a token is locked long
// before. Lock-free and valid at every moment, since a process may end at any; what another process has
// written into it does no harm but to be wrong. Thread-safe.
class RefusedPins final {
 public:
  void add(PinDigest pin) noexcept {
    pins_[next_.fetch_add(1, std::memory_order_relaxed) % pins_.size()].store(pin, std::memory_order_release);
  }

  [[nodiscard]] bool contains(PinDigest pin) const noexcept {
    for (const std::atomic<PinDigest>& refused : pins_)
      if (refused.load(std::memory_order_acquire) == pin) return true;
    return false;
  }

 private:
  std::atomic<std::uint32_t> next_{0};
  std::array<std::atomic<PinDigest>, 16> pins_{};
};

}  // namespace keystay::pkcs11
