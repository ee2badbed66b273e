// EMSA-PSS-ENCODE (RFC 8017, section 9.1.1), for tokens without CKM_RSA_PKCS_PSS.
#pragma once

#include <cstddef>
#include <span>

#include "native/pkcs11/cryptoki.h"
#include "provider/key/scheme.h"

namespace keystay::provider {

// Fills `encoded`, which has the length of the modulus. Throws Error if salt and digest do not fit.
void encode_pss(const Pss& pss, pkcs11::ByteView digest, std::size_t modulus_bits,
                std::span<std::uint8_t> encoded, Software& software);

}  // namespace keystay::provider
