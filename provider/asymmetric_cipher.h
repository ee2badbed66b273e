// OSSL_OP_ASYM_CIPHER (provider-asym_cipher(7)): RSA decryption on the token, encryption in software.
#pragma once

#include <openssl/core.h>

namespace keystay::provider {

[[nodiscard]] const OSSL_ALGORITHM* asymmetric_cipher_algorithms() noexcept;

}  // namespace keystay::provider
