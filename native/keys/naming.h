// Giving a key its alias. PKCS #11 has no transaction over several objects and no unique names, so the order
// of the writes decides: the CKA_LABEL of the private key is the alias, and it is the one step that counts.
// What is there before it has an unfinished label, and what is left to do after it changes labels only.
//
// Two programs may take one name at once. Each writes its label first and looks for others afterwards, so
// that at most one of them sees no other. Between the two steps a new key is a claim: its private key has
// the label, its public key still the unfinished one. Of several claims the one with the smallest CKA_ID
// stays; all give way to a key that is no claim. So a claim whose maker was killed can be told from an alias
// at any later time, by any program.
#pragma once

#include <string_view>
#include <vector>

#include "native/keys/entry.h"
#include "native/keys/pkix.h"
#include "native/keys/token_objects.h"
#include "native/pkcs11/session.h"

namespace keystay::keys {

// Gives the objects of an unfinished key this label: the private key, the public key, certificates. Throws
// Error (client) if another key has or takes the name; withdraw_unfinished then removes what was made.
// Repeatable.
void name_unfinished(pkcs11::Session& session, const Pkix& pkix, const Entry& unfinished,
                     std::string_view alias);

// Gives an alias another name, or leaves it as it was and throws Error (client). Repeatable.
void rename_alias(pkcs11::Session& session, const Pkix& pkix, const Entry& entry, std::string_view alias);

// Gives an unfinished certificate this label. Throws Error (client) if another object takes the name; of two
// that take one at once both may give way.
void name_certificate(pkcs11::Session& session, const Pkix& pkix, CK_OBJECT_HANDLE certificate,
                      std::string_view alias);

// The private key of an entry that was read before. Throws Error (client) if it is gone by now, or has
// another name: what was asked for was meant for that name.
[[nodiscard]] CK_OBJECT_HANDLE find_unchanged(pkcs11::Session& session, const Entry& entry);

// Takes the alias back from a key that has claimed or got it by an interrupted name_unfinished(): all its
// objects have the unfinished label again.
void take_back_name(pkcs11::Session& session, const Pkix& pkix, const Entry& unfinished,
                    std::string_view alias);

}  // namespace keystay::keys
