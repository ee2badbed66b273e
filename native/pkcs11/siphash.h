// SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012), without libcrypto.
#pragma once

#include <array>
#include <cstdint>

#include "native/pkcs11/cryptoki.h"

namespace keystay::pkcs11 {

using SipHashKey = std::array<std::uint64_t, 2>;  // k0, k1

// The 64 bits that nobody can tell from random ones without the key.
[[nodiscard]] std::uint64_t siphash(const SipHashKey& key, ByteView message) noexcept;

}  // namespace keystay::pkcs11
