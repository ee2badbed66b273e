// Destroying an alias. It ends with its private key; of everything else some is there until the end which
// tells that it is left over (unfinished.h), so that an interrupted deletion can be repeated.
#pragma once

#include <string_view>

#include "native/keys/entry.h"
#include "native/keys/listing.h"
#include "native/keys/pkix.h"
#include "native/pkcs11/session.h"

namespace keystay::keys {

// The private key, and with it the alias. If the token refuses, nothing is lost. Throws Error (client) for a
// key that has another label by now. A public key that this token did not make gets an unfinished label
// first: it would be taken for one that others keep.
void destroy_private_key(pkcs11::Session& session, const Pkix& pkix, const Entry& entry);

// What belonged to a key that is gone: its certificates, then the issuers that none of `entries` needs,
// then its public key. `entries` are all of the token.
void destroy_rest(pkcs11::Session& session, const Pkix& pkix, const Entry& entry,
                  const std::vector<Entry>& entries);

// A key or certificate that cannot be used: this object and nothing else. Throws Error (client) unless it is
// the only one of its class with this label and CKA_ID, and still cannot be used; Error (busy) if the token
// answers CKR_OK and has it still.
void destroy_unreadable(pkcs11::Session& session, const Pkix& pkix, const UnreadableObject& object);

}  // namespace keystay::keys
