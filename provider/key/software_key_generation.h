// Key generation through EVP: in software, by the default provider, unless a parameter names an alias for the
// new key. An ephemeral key of a TLS handshake comes here when `keystay` stands before `default` in
// openssl.cnf, and must not end up on a token.
#pragma once

#include <cstddef>

#include <openssl/core.h>
#include <openssl/core_dispatch.h>

#include "provider/key/key_type.h"

namespace keystay::provider {

// OSSL_FUNC_keymgmt_gen_… (provider-keymgmt(7), "Key Object Generation Functions").
template <const KeyType& type>
void* gen_init(void* provctx, int selection, const OSSL_PARAM params[]) noexcept;
int gen_set_template(void* genctx, void* model) noexcept;
int gen_set_params(void* genctx, const OSSL_PARAM params[]) noexcept;
template <const KeyType& type>
const OSSL_PARAM* gen_settable_params(void* genctx, void* provctx) noexcept;
void* gen(void* genctx, OSSL_CALLBACK* callback, void* argument) noexcept;
void gen_cleanup(void* genctx) noexcept;

}  // namespace keystay::provider
