// Secrets that have served.
#pragma once

#include <cstdint>
#include <span>

#include <string.h>

namespace keystay::pkcs11 {

// Overwrites the bytes; not left out by the compiler. There may be none: explicit_bzero(3) wants a place even
// for nothing.
inline void wipe(std::span<std::uint8_t> bytes) noexcept {
  if (!bytes.empty()) ::explicit_bzero(bytes.data(), bytes.size());
}

}  // namespace keystay::pkcs11
