// OSSL_OP_DECODER (provider-decoder(7)): the PEM file that stands for a key on a token, so that every program
// that reads private keys from PEM files reads these.
#pragma once

#include <openssl/core.h>

namespace keystay::provider {

[[nodiscard]] const OSSL_ALGORITHM* decoder_algorithms() noexcept;

}  // namespace keystay::provider
