// Independent witnesses of a signature: libp11 reads the public key, libcrypto verifies.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "tests/support/softhsm_token.h"
#include "tests/support/test_ca.h"

namespace keystay::test {

using ByteView = std::span<const std::uint8_t>;

// The CKO_PUBLIC_KEY with this CKA_LABEL. Throws std::runtime_error.
[[nodiscard]] Openssl<EVP_PKEY> read_public_key(const SoftHsmToken& token, const std::string& label);

// `digest_name` is OpenSSL's ("SHA256"); `signature` is raw: r || s for ECDSA.
[[nodiscard]] bool verifies_ecdsa(EVP_PKEY* key, ByteView digest, ByteView signature);
[[nodiscard]] bool verifies_rsa_pkcs1(EVP_PKEY* key, const char* digest_name, ByteView digest,
                                      ByteView signature);
[[nodiscard]] bool verifies_rsa_pss(EVP_PKEY* key, const char* digest_name, ByteView digest,
                                    ByteView signature);
[[nodiscard]] bool verifies_ed25519(EVP_PKEY* key, ByteView message, ByteView signature);

}  // namespace keystay::test
