// The dispatch table of OSSL_OP_SIGNATURE.
#pragma once

#include <openssl/core.h>

namespace keystay::provider {

[[nodiscard]] const OSSL_ALGORITHM* signature_algorithms() noexcept;

}  // namespace keystay::provider
