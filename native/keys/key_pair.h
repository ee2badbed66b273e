// Making a key pair on a token, or bringing one to it: not extractable, or so until it is sealed, and under
// an unfinished label, which naming.h replaces by the alias when everything else is there.
#pragma once

#include <string_view>

#include "native/keys/key_spec.h"
#include "native/keys/pkix.h"
#include "native/pkcs11/session.h"

namespace keystay::keys {

// Generates a key pair, gives both halves their CKA_ID and reads them back. On an error nothing remains, as
// far as the token still answers; who repeats it removes what is left under the label (destroy_labelled).
// Returns the CKA_ID.
pkcs11::Bytes generate_key_pair(pkcs11::Session& session, const KeyRequest& request, const Pkix& pkix,
                                std::string_view unfinished);

// The same for a key pair that exists. The token knows for ever that it did not make the private half:
// CKA_LOCAL, CKA_ALWAYS_SENSITIVE and CKA_NEVER_EXTRACTABLE are false.
pkcs11::Bytes import_key_pair(pkcs11::Session& session, const SoftwareKey& key, KeyUse use, const Pkix& pkix,
                              std::string_view unfinished);

// A key pair that another token has made (wrapping.h).
struct WrappedKeyPair {
  const pkcs11::PublicKey& public_key;
  KeyUse use;
  pkcs11::ByteView id;       // CKA_ID
  pkcs11::ByteView wrapped;  // the private half, by C_WrapKey
};

// The same by C_UnwrapKey. Throws Error (client) if a private key with this CKA_ID is there already, Error
// (server) if the token has made the key extractable all the same.
void unwrap_key_pair(pkcs11::Session& session, CK_MECHANISM_TYPE mechanism, CK_OBJECT_HANDLE unwrapping_key,
                     const WrappedKeyPair& pair, std::string_view unfinished);

// Sets CKA_EXTRACTABLE of the private key with this label to false, which no token takes back, and reads it
// back. Throws Error (server) if there is no such key.
void seal_private_key(pkcs11::Session& session, std::string_view unfinished);

// Destroys every object under this label.
void destroy_labelled(pkcs11::Session& session, std::string_view unfinished);

}  // namespace keystay::keys
