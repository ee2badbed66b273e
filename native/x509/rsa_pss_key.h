// RSA keys that are for RSASSA-PSS only: their SubjectPublicKeyInfo says id-RSASSA-PSS (RFC 4055,
// section 1.2), perhaps with the parameters that they are bound to. The private key on the token does not
// know of it: an alias is such a key by its certificate or by its CKA_ALLOWED_MECHANISMS.
#pragma once

#include <optional>

#include "native/keys/entry.h"
#include "native/x509/openssl_types.h"

namespace keystay::x509 {

// The SubjectPublicKeyInfo of an alias whose key is for RSASSA-PSS only, with the certificate's parameters;
// nothing for all others. The certificate has the last word: a TLS server must have a key of its kind.
[[nodiscard]] std::optional<pkcs11::Bytes> rsa_pss_spki_of(const keys::Entry& entry);

// That of an RSA key which is to be for RSASSA-PSS only, by any hash function and salt.
[[nodiscard]] pkcs11::Bytes unrestricted_rsa_pss_spki(const pkcs11::PublicKey& key);

// The SubjectPublicKeyInfo of any alias, as its PEM reference carries it.
[[nodiscard]] pkcs11::Bytes spki_of(const keys::Entry& entry);

// Whether a SubjectPublicKeyInfo is of that kind.
[[nodiscard]] bool is_rsa_pss_spki(pkcs11::ByteView spki);

// The key in such a SubjectPublicKeyInfo, in software. Throws Error.
[[nodiscard]] EvpPkey rsa_pss_public_key(pkcs11::ByteView spki, OSSL_LIB_CTX* libctx);

}  // namespace keystay::x509
