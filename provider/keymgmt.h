// OSSL_OP_KEYMGMT (provider-keymgmt(7)): RSA and EC keys.
#pragma once

#include <openssl/core.h>

namespace keystay::provider {

[[nodiscard]] const OSSL_ALGORITHM* keymgmt_algorithms() noexcept;

}  // namespace keystay::provider
