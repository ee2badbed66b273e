// The two forms of an ECDSA signature: r || s as PKCS #11 has it (v3.0, section 2.3.1), and the DER
// Ecdsa-Sig-Value of RFC 3279, section 2.2.3, as OpenSSL, TLS and X.509 have it. Not by libcrypto's
// i2d_ECDSA_SIG, which allocates six times for each signature.
#pragma once

#include <cstddef>
#include <span>

#include "native/pkcs11/cryptoki.h"

namespace keystay::x509 {

// The longest encoding: of a P-521 signature whose halves both need a padding byte.
inline constexpr std::size_t kLongestEcdsaDer = 3 + 2 * (2 + 1 + 66);

// Writes SEQUENCE { INTEGER r, INTEGER s } and returns its length. `raw` is not longer than 2 * 66 bytes and
// not empty. Allocates nothing.
std::size_t encode_ecdsa(pkcs11::ByteView raw, std::span<std::uint8_t, kLongestEcdsaDer> der) noexcept;

}  // namespace keystay::x509
