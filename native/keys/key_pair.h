// Making a key pair on a token, or bringing one to it: never extractable, and under an unfinished label,
// which naming.h replaces by the alias when everything else is there.
#pragma once

#include <string_view>

#include "native/keys/key_spec.h"
#include "native/keys/pkix.h"
#include "native/pkcs11/session.h"

namespace keystay::keys {

// Generates a key pair, gives both halves their CKA_ID and reads them back. On an error nothing remains, as
// far as the token still answers. Repeatable: what an earlier try left under this label is removed. Returns
// the CKA_ID.
pkcs11::Bytes generate_key_pair(pkcs11::Session& session, const KeyRequest& request, const Pkix& pkix,
                                std::string_view unfinished);

// The same for a key pair that exists. The token knows for ever that it did not make the private half:
// CKA_LOCAL, CKA_ALWAYS_SENSITIVE and CKA_NEVER_EXTRACTABLE are false.
pkcs11::Bytes import_key_pair(pkcs11::Session& session, const SoftwareKey& key, KeyUse use, const Pkix& pkix,
                              std::string_view unfinished);

// Destroys every object under this label.
void destroy_labelled(pkcs11::Session& session, std::string_view unfinished);

}  // namespace keystay::keys
