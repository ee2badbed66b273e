// Why a token refuses an operation with a private key, as far as the key's attributes tell. Tokens answer one
// code for several reasons: SoftHSM says CKR_MECHANISM_INVALID also of a mechanism that only this key may not
// use.
#pragma once

#include "native/pkcs11/error.h"
#include "native/pkcs11/session.h"

namespace keystay::pkcs11 {

// The same error, with the attribute of the key that is its reason (PKCS #11 v3.0, sections 4.7 and 4.9):
// CKA_SIGN and its like, or CKA_ALLOWED_MECHANISMS. Unchanged if none is. Reads the attributes only after an
// error that may come from them.
[[nodiscard]] Error explained(const Error& error, Session& session, CK_OBJECT_HANDLE key,
                              const Operation& operation);

// CKA_ALWAYS_AUTHENTICATE of a private key; false where the token does not tell.
[[nodiscard]] bool always_authenticates(Session& session, CK_OBJECT_HANDLE key);

}  // namespace keystay::pkcs11
