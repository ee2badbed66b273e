// Public keys between three forms: the values that PKCS #11 attributes hold, libcrypto's EVP_PKEY, and the
// DER SubjectPublicKeyInfo of RFC 5280.
#pragma once

#include <optional>

#include "native/pkcs11/public_key.h"
#include "native/x509/openssl_types.h"

namespace keystay::x509 {

// A key that lives in software. `libctx` may be null. Throws Error for a value that is no key, a point that
// is not on its curve for instance.
[[nodiscard]] EvpPkey to_evp_pkey(const pkcs11::PublicKey& key, OSSL_LIB_CTX* libctx);

// The public half of a key of any provider. Throws Error for an algorithm that no Keystay key has.
[[nodiscard]] pkcs11::PublicKey from_evp_pkey(const EVP_PKEY* key);
// The same, with nothing for such an algorithm.
[[nodiscard]] std::optional<pkcs11::PublicKey> supported_public_key(const EVP_PKEY* key);

// These two are plain ASN.1: they fetch no algorithm from any provider.
[[nodiscard]] pkcs11::Bytes to_spki(const pkcs11::PublicKey& key);
// Throws Error for what is no SubjectPublicKeyInfo of an RSA, named-curve EC or Ed25519 key.
[[nodiscard]] pkcs11::PublicKey from_spki(pkcs11::ByteView der);

// The value of the BIT STRING subjectPublicKey, which RFC 5280, section 4.2.1.2, hashes to a key identifier.
[[nodiscard]] pkcs11::Bytes subject_public_key_bits(const pkcs11::PublicKey& key);

}  // namespace keystay::x509
