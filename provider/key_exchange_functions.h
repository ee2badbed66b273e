// OSSL_OP_KEYEXCH (provider-keyexch(7)): ECDH with a token's key.
#pragma once

#include <openssl/core.h>

namespace keystay::provider {

[[nodiscard]] const OSSL_ALGORITHM* key_exchange_algorithms() noexcept;

}  // namespace keystay::provider
