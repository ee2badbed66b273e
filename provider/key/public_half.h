// The public half of a token's key, and the kind of key that it makes of it.
#pragma once

#include "native/keys/entry.h"
#include "native/x509/openssl_types.h"
#include "provider/key/key_type.h"
#include "provider/software.h"

namespace keystay::provider {

struct PublicHalf {
  const KeyType& type;
  x509::EvpPkey key;  // in the library context of Software
};

// Of an alias. Throws Error if this provider has no operations for its kind, x509::Error if it is no key.
[[nodiscard]] PublicHalf public_half_of(const keys::Entry& entry, Software& software);

// Of a SubjectPublicKeyInfo. Throws likewise.
[[nodiscard]] PublicHalf public_half_of(pkcs11::ByteView spki, Software& software);

// Of a public key object. Throws likewise.
[[nodiscard]] PublicHalf public_half_of(const pkcs11::PublicKey& key, Software& software);

// Its kind alone, which is only a matter of syntax. Throws likewise.
[[nodiscard]] const KeyType& key_type_of(pkcs11::ByteView spki);

}  // namespace keystay::provider
