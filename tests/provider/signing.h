// Signatures through EVP, and their verification by libcrypto's default provider.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "native/pkcs11/cryptoki.h"
#include "tests/provider/library_context.h"

namespace keystay::test {

// Sets parameters of an operation: padding, salt length. Returns what the EVP functions return.
using Configure = std::function<int(EVP_PKEY_CTX*)>;

// EVP_DigestSign in one step; nothing if it fails.
[[nodiscard]] std::optional<pkcs11::Bytes> sign(const LibraryContext& context, EVP_PKEY* key,
                                                const char* digest, pkcs11::ByteView message,
                                                const Configure& configure = {});
// EVP_DigestSignUpdate, byte by byte, and EVP_DigestSignFinal.
[[nodiscard]] std::optional<pkcs11::Bytes> sign_streaming(const LibraryContext& context, EVP_PKEY* key,
                                                          const char* digest, pkcs11::ByteView message,
                                                          const Configure& configure = {});
// EVP_PKEY_sign of a digest, or of anything without one.
[[nodiscard]] std::optional<pkcs11::Bytes> sign_digest(const LibraryContext& context, EVP_PKEY* key,
                                                       pkcs11::ByteView digest,
                                                       const Configure& configure = {});

// By the default library context, with a key of the default provider.
[[nodiscard]] bool verifies(EVP_PKEY* key, const char* digest, pkcs11::ByteView message,
                            pkcs11::ByteView signature, const Configure& configure = {});

// RSA-PSS with this salt length, and MGF1 over `mgf1` if it is not null.
[[nodiscard]] Configure pss(int salt_length, const char* mgf1 = nullptr);

}  // namespace keystay::test
