// The public half that a key object states by its attributes. Tokens write the same key in many forms; this
// is the one place that knows them (docs/design/alias-model.md, "What tokens write").
#pragma once

#include <optional>
#include <string>

#include "native/pkcs11/attributes.h"
#include "native/pkcs11/public_key.h"

namespace keystay::pkcs11 {

struct StatedKey {
  // Nothing if the object does not state all of it, or states what no key can be. The point of a CKK_EC key
  // has the right length; it may be compressed, and whether it is on its curve is for an X.509 library to say
  // (keys::Pkix).
  std::optional<PublicKey> key;
  std::string fault{};  // why what it states is no public key: `its CKA_MODULUS is zero`; else empty
};

// From CKA_KEY_TYPE and CKA_MODULUS with CKA_PUBLIC_EXPONENT, or CKA_EC_PARAMS with CKA_EC_POINT. The
// parameters of the key are always the curve's OID, so that equal keys compare equal however the token names
// their curve.
[[nodiscard]] StatedKey stated_key(const Attributes& object);

// Why no RSA key can have this modulus and exponent, or none that libcrypto and the JDK would use; else
// empty.
[[nodiscard]] std::string fault_of(const RsaPublicKey& key);

// Whether an object that states `stated`, perhaps compressed, is of this key.
[[nodiscard]] bool states(const PublicKey& stated, const PublicKey& key);

}  // namespace keystay::pkcs11
