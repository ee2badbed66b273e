// OSSL_OP_STORE (provider-storemgmt(7)): the schemes "keystay" and "pkcs11".
#pragma once

#include <openssl/core.h>

namespace keystay::provider {

[[nodiscard]] const OSSL_ALGORITHM* store_algorithms() noexcept;

}  // namespace keystay::provider
