// OSSL_OP_RAND (provider-rand(7)): the token's own source of randomness, for those who ask for it by name.
#pragma once

#include <openssl/core.h>

namespace keystay::provider {

[[nodiscard]] const OSSL_ALGORITHM* random_algorithms();

}  // namespace keystay::provider
