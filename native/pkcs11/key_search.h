// Finding a private key again by its recipe.
#pragma once

#include "native/pkcs11/key_reference.h"
#include "native/pkcs11/session.h"

namespace keystay::pkcs11 {

// The public half that a key object states itself: CKA_MODULUS and CKA_PUBLIC_EXPONENT, or CKA_EC_PARAMS and
// CKA_EC_POINT (with or without the OCTET STRING around it). Nothing if the object does not have them all, or
// is on a curve that Keystay does not know.
[[nodiscard]] std::optional<PublicKey> public_key_of(const Attributes& key);

// The attributes that public_key_of needs, and those that name a key.
inline constexpr CK_ATTRIBUTE_TYPE kKeyAttributes[] = {
    CKA_KEY_TYPE, CKA_ID, CKA_LABEL, CKA_MODULUS, CKA_PUBLIC_EXPONENT, CKA_EC_PARAMS, CKA_EC_POINT};

// The one private key that the reference means: same CKA_ID (or CKA_LABEL where it has no id), same type,
// same public key as far as the token shows one. Throws Error (client) if there is none, or more than one.
[[nodiscard]] CK_OBJECT_HANDLE find_private_key(Session& session, const KeyReference& key);

}  // namespace keystay::pkcs11
