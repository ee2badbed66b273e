// OSSL_OP_ENCODER (provider-encoder(7)) for what would show a private key: it is refused, with an error that
// says so. Public keys are written by the default provider's encoders, from our export.
#pragma once

#include <openssl/core.h>

namespace keystay::provider {

[[nodiscard]] const OSSL_ALGORITHM* encoder_algorithms() noexcept;

}  // namespace keystay::provider
