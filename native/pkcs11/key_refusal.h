// Why a token refuses an operation with a private key, as far as the key's attributes tell. Tokens answer one
// code for several reasons: SoftHSM says CKR_MECHANISM_INVALID also of a mechanism that only this key may not
// use.
#pragma once

#include "native/pkcs11/error.h"
#include "native/pkcs11/session.h"

namespace keystay::pkcs11 {

// What an operation needs (PKCS #11 v3.0, sections 4.7 and 4.9).
struct KeyDemand {
  CK_MECHANISM_TYPE mechanism;  // in CKA_ALLOWED_MECHANISMS, if the key has that
  CK_ATTRIBUTE_TYPE attribute;  // CKA_SIGN, CKA_DECRYPT or CKA_DERIVE
};

// The same error, with the attribute that is its reason; unchanged if none is. Reads the key's attributes
// only after an error that may come from them.
[[nodiscard]] Error explained(const Error& error, Session& session, CK_OBJECT_HANDLE key,
                              const KeyDemand& demand);

// CKA_ALWAYS_AUTHENTICATE of a private key; false where the token does not tell.
[[nodiscard]] bool always_authenticates(Session& session, CK_OBJECT_HANDLE key);

}  // namespace keystay::pkcs11
