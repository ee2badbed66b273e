// The two forms of an ECDSA signature: r || s as PKCS #11 has it (v3.0, section 2.3.1), and the DER
// Ecdsa-Sig-Value of RFC 3279, section 2.2.3, as OpenSSL and TLS have it.
#pragma once

#include <cstddef>
#include <span>

#include "native/pkcs11/cryptoki.h"

namespace keystay::provider {

// Writes SEQUENCE { INTEGER r, INTEGER s } and returns its length; `der` has ecdsa_der_size() bytes.
// Allocates nothing.
std::size_t encode_ecdsa(pkcs11::ByteView raw, std::span<std::uint8_t> der) noexcept;

// The longest encoding for a raw signature of this length.
[[nodiscard]] std::size_t ecdsa_der_size(std::size_t raw_size) noexcept;

}  // namespace keystay::provider
