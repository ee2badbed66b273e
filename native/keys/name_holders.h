// Who has a name on a token already. A name is one name in whatever letter case (alias_name.h): Java's key
// stores and openssl find it in either, so that of two that differ in nothing else none could be meant.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "native/keys/entry.h"
#include "native/keys/pkix.h"
#include "native/keys/token_objects.h"
#include "native/pkcs11/session.h"

namespace keystay::keys {

// Another private key with the name.
struct NameHolder {
  pkcs11::Bytes id;
  std::string label;
  bool is_claim;  // see naming.h
};

// The key that asks: never its own holder.
struct OwnKey {
  CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
  const Entry* entry = nullptr;
  CK_OBJECT_HANDLE secret_key = CK_INVALID_HANDLE;
};

// The private keys with the name: one batched read for each on the token. `own_id` is that of the key that
// asks, of which another thread may be signing with a copy.
[[nodiscard]] std::vector<NameHolder> other_holders(pkcs11::Session& session, std::string_view alias,
                                                    const OwnKey& own = {}, pkcs11::ByteView own_id = {});

// The label of a certificate with the name, unless it `is_own` or is the leaf of a key with a label: that one
// is its alias.
using IsOwn = std::function<bool(const CertificateObject&)>;
[[nodiscard]] std::optional<std::string> certificate_with_name(pkcs11::Session& session, const Pkix& pkix,
                                                               std::string_view alias, const IsOwn& is_own);
// The label of a secret key with the name, other than `own`: one search, and one read for each on the token.
[[nodiscard]] std::optional<std::string> secret_key_with_name(pkcs11::Session& session,
                                                              std::string_view alias,
                                                              CK_OBJECT_HANDLE own = CK_INVALID_HANDLE);
// Whether anything but this secret key has the name.
[[nodiscard]] bool is_taken(pkcs11::Session& session, const Pkix& pkix, std::string_view alias,
                            CK_OBJECT_HANDLE secret_key);
// What certifies this key.
[[nodiscard]] IsOwn certifies(const Entry& entry);

// Throws Error (client) if the name may not be an alias, or is another one's on this token.
void require_unused(pkcs11::Session& session, const Pkix& pkix, std::string_view alias,
                    const OwnKey& own = {});

// The private keys, of all objects of the token, that only claim their label: another one has it too, and
// their own public key is still unfinished.
[[nodiscard]] std::set<CK_OBJECT_HANDLE> claims(const TokenObjects& objects);

// The private keys, of all objects of the token, that another one has followed under their label by a
// rotation that was interrupted (rotation.h), and the label that they are to have: that of their public key
// object.
[[nodiscard]] std::map<CK_OBJECT_HANDLE, std::string> followed(const TokenObjects& objects);

// Takes the claims, and those that were followed, away from private keys that share a label; looks at their
// public keys only if there are several.
void drop_claims(pkcs11::Session& session, std::vector<KeyObject>& private_keys);

}  // namespace keystay::keys
