// A key pair in software: that of a TLS client, whose certificate opens the way to a token on another
// machine.
#pragma once

#include "native/pkcs11/wiped_text.h"
#include "native/x509/openssl_types.h"

namespace keystay::x509 {

// EC on P-256. Throws Error.
[[nodiscard]] EvpPkey generate_p256_key();

// PEM (RFC 7468, section 10), PKCS #8 without encryption. Throws Error.
[[nodiscard]] pkcs11::WipedText private_key_pem(const EVP_PKEY* key);

}  // namespace keystay::x509
