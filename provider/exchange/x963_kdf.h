// The key derivation function of ANSI X9.63 (SEC 1, section 3.6.1).
#pragma once

#include <span>

#include <openssl/evp.h>

#include "native/pkcs11/cryptoki.h"
#include "provider/software.h"

namespace keystay::provider {

// Whether this context of the default provider wants the function after ECDH.
[[nodiscard]] bool wants_x963_kdf(EVP_PKEY_CTX* derivation);

// Fills `derived` with what that context would derive from this shared secret. Throws Error.
void x963_kdf(EVP_PKEY_CTX* derivation, pkcs11::ByteView shared, std::span<std::uint8_t> derived,
              Software& software);

}  // namespace keystay::provider
