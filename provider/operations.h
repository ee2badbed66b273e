// What the provider answers libcrypto with (provider-base(7)): for each operation the algorithms that it has,
// as a list that ends with a null entry and lives as long as the module. Each list is in the file of its
// operation, beside the functions that it refers to.
#pragma once

#include <openssl/core.h>

namespace keystay::provider {

// OSSL_OP_KEYMGMT (provider-keymgmt(7)): RSA and EC keys, on a token or public.
[[nodiscard]] const OSSL_ALGORITHM* keymgmt_algorithms() noexcept;

// OSSL_OP_SIGNATURE (provider-signature(7)).
[[nodiscard]] const OSSL_ALGORITHM* signature_algorithms() noexcept;

// OSSL_OP_ASYM_CIPHER (provider-asym_cipher(7)): RSA decryption on the token, encryption in software.
[[nodiscard]] const OSSL_ALGORITHM* asymmetric_cipher_algorithms() noexcept;

// OSSL_OP_KEYEXCH (provider-keyexch(7)): ECDH with a token's key.
[[nodiscard]] const OSSL_ALGORITHM* key_exchange_algorithms() noexcept;

// OSSL_OP_STORE (provider-storemgmt(7)): the schemes "keystay" and "pkcs11".
[[nodiscard]] const OSSL_ALGORITHM* store_algorithms() noexcept;

// OSSL_OP_DECODER (provider-decoder(7)): the PEM file that stands for a key on a token, so that every program
// that reads private keys from PEM files reads these.
[[nodiscard]] const OSSL_ALGORITHM* decoder_algorithms() noexcept;

// OSSL_OP_ENCODER (provider-encoder(7)) for what would show a private key: it is refused, with an error that
// says so. Public keys are written by the default provider's encoders, from our export.
[[nodiscard]] const OSSL_ALGORITHM* encoder_algorithms() noexcept;

// OSSL_OP_RAND (provider-rand(7)): the token's own source of randomness, for those who ask for it by name.
[[nodiscard]] const OSSL_ALGORITHM* random_algorithms() noexcept;

// OSSL_FUNC_provider_get_capabilities: the TLS groups of the default provider, and what only keystay-tlsd
// asks for.
int get_capabilities(void* provctx, const char* capability, OSSL_CALLBACK* callback, void* argument) noexcept;

}  // namespace keystay::provider
