// OSSL_OP_SIGNATURE from OpenSSL 3.4 on: algorithms with a digest of their own, which applications fetch by
// name
// ("RSA-SHA2-256", "ECDSA-SHA2-256") and hand to EVP_PKEY_sign_message_init and its kin
// (provider-signature(7)).
#pragma once

#include <span>

#include <openssl/core.h>

namespace keystay::provider {

// None where libcrypto is older. The list does not end with a null entry.
[[nodiscard]] std::span<const OSSL_ALGORITHM> named_signatures() noexcept;

}  // namespace keystay::provider
