// Whether a private key belongs to the public half that only its certificate, or a label, shows.
#pragma once

#include "native/keys/entry.h"
#include "provider/key/key.h"

namespace keystay::provider {

// Signs random bytes of its own, and verifies it: a certificate with the key's CKA_ID, or a
// public key object with its label, may be another key's, and then every signature would be wrong. Does
// nothing where the token itself shows the public half, or where the key may not sign. Throws Error,
// pkcs11::Error.
void require_possession(Key& key, const keys::Entry& entry);

}  // namespace keystay::provider
