// Finding a private key again by its recipe.
#pragma once

#include "native/pkcs11/key_reference.h"
#include "native/pkcs11/session.h"

namespace keystay::pkcs11 {

// The one private key that the reference means: same CKA_ID (or CKA_LABEL where it has no id), same type,
// same public key as far as the token shows one, and with Proof::wanted by a signature as well. Throws Error
// (client) if there is none, or more than one.
[[nodiscard]] CK_OBJECT_HANDLE find_private_key(Session& session, const KeyReference& key);
// Likewise, for an operation: throws Error (client) too for one that was deactivated since the reference to
// it was made (deactivated_label.h).
[[nodiscard]] CK_OBJECT_HANDLE find_usable_private_key(Session& session, const KeyReference& key);

}  // namespace keystay::pkcs11
