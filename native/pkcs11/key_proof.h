// Whether a private key object is the other half of a public key: by a signature that the token makes with
// the one and checks with the other.
#pragma once

#include "native/pkcs11/public_key.h"
#include "native/pkcs11/session.h"

namespace keystay::pkcs11 {

enum class KeyProof {
  given,
  refuted,
  impossible,  // the key does not sign, or the token takes no public key to check with
};

// Of CKA_ID, CKA_LABEL and public key objects, which people write, this needs nothing. The public key is a
// session object, and is destroyed. Throws Error where the token or the session is sick.
[[nodiscard]] KeyProof prove(Session& session, CK_OBJECT_HANDLE private_key, const PublicKey& public_key);

}  // namespace keystay::pkcs11
