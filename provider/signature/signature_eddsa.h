// OSSL_OP_SIGNATURE for EdDSA (RFC 8032): PureEdDSA, one step, no digest.
#pragma once

#include <openssl/core_dispatch.h>

#include "provider/key/key_type.h"

namespace keystay::provider {

template <const KeyType& type>
[[nodiscard]] const OSSL_DISPATCH* eddsa_functions() noexcept;

}  // namespace keystay::provider
