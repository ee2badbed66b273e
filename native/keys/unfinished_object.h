// Finding and removing what interrupted commands have left on a token.
#pragma once

#include <string_view>
#include <vector>

#include "native/keys/entry.h"
#include "native/keys/token_objects.h"
#include "native/keys/unfinished.h"
#include "native/pkcs11/session.h"

namespace keystay::keys {

struct UnfinishedObject : Unfinished {
  CK_OBJECT_HANDLE handle;  // valid only in the session callback that read it
};

// Of all objects of the token, `entries` being its aliases; issuers are left to unneeded_issuers(). One read
// more for each public key without a private one, which tells where it was made.
[[nodiscard]] std::vector<UnfinishedObject> find_unfinished(pkcs11::Session& session,
                                                            const TokenObjects& objects,
                                                            const std::vector<Entry>& entries);

// In the order in which they are to be removed, so that this can be interrupted: a public key tells what its
// certificates are, and goes last.
void order_for_removal(std::vector<UnfinishedObject>& unfinished);

// Removes it; an unfinished label is replaced by the alias instead. What another program removed meanwhile is
// gone as well.
void remove(pkcs11::Session& session, const UnfinishedObject& unfinished);

// What an interrupted deletion of this alias has left, in the order in which it is to be removed: the public
// key last, so that this can be repeated in turn.
[[nodiscard]] std::vector<UnfinishedObject> leftovers_of(std::string_view alias,
                                                         const std::vector<UnfinishedObject>& unfinished);

// Takes away the certificates that are unfinished; those of aliases stay, whatever their label.
void drop_leftovers(std::vector<CertificateObject>& certificates,
                    const std::vector<UnfinishedObject>& unfinished);

}  // namespace keystay::keys
