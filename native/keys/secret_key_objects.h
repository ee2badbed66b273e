// The secret keys of a token as objects: reading, making and naming them. In the session callback that reads
// it, a handle is valid and nowhere else.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "native/keys/entry.h"
#include "native/keys/key_spec.h"
#include "native/keys/pkix.h"
#include "native/keys/secret_key.h"
#include "native/pkcs11/session.h"

namespace keystay::keys {

struct SecretKeyObject {
  CK_OBJECT_HANDLE handle;
  SecretKey key;         // its alias is its label, else "id:<hex>"
  bool is_alias = true;  // it encrypts or makes MACs. What only wraps or derives, as the wrapping key of a
                         // group does, is none, and keeps its name from others
};

// One search, and one batched read per object. Session objects are left out.
[[nodiscard]] std::vector<SecretKeyObject> read_secret_keys(pkcs11::Session& session);
// The same of one label.
[[nodiscard]] std::vector<SecretKeyObject> read_secret_keys(pkcs11::Session& session, std::string_view label);

// Generates a key, not extractable or until it is sealed, under an unfinished label and a CKA_ID of its own,
// and reads it back. On an error nothing remains, as far as the token still answers. Repeatable.
void generate_secret_key(pkcs11::Session& session, const SecretKeySpec& spec, Extraction extraction,
                         std::string_view unfinished, pkcs11::ByteView id);
// The same for a key that exists: CKA_LOCAL, CKA_ALWAYS_SENSITIVE and CKA_NEVER_EXTRACTABLE are false for
// ever.
void import_secret_key(pkcs11::Session& session, const SoftwareSecretKey& key, std::string_view unfinished,
                       pkcs11::ByteView id);

// A secret key that another token has made (wrapping.h).
struct WrappedSecretKey {
  SecretKeySpec spec;
  pkcs11::ByteView id;       // CKA_ID
  pkcs11::ByteView wrapped;  // by C_WrapKey
};
// The same by C_UnwrapKey.
void unwrap_secret_key(pkcs11::Session& session, CK_MECHANISM_TYPE mechanism, CK_OBJECT_HANDLE unwrapping_key,
                       const WrappedSecretKey& key, std::string_view unfinished);
// Sets CKA_EXTRACTABLE of the key with this label to false and reads it back. Throws Error (server) if there
// is no such key.
void seal_secret_key(pkcs11::Session& session, std::string_view unfinished);
void destroy_secret_keys(pkcs11::Session& session, std::string_view label);
// The key with this CKA_ID, whatever its label is by now; none is all right.
void destroy_secret_key(pkcs11::Session& session, const SecretKey& key);

// 160 random bits: a secret key has nothing that everybody could compute one from.
[[nodiscard]] pkcs11::Bytes random_id();

// The key that was read before. Throws Error (client) if it is gone or has another name by now.
[[nodiscard]] CK_OBJECT_HANDLE find_unchanged(pkcs11::Session& session, const SecretKey& key);

// Gives an unfinished key its alias, or an alias another name: looks whether it is free, writes it, and looks
// again, since two programs may take one name at once (naming.h): then both may give way. Throws Error
// (client) then, and the key has the label that it had. Repeatable.
void name_secret_key(pkcs11::Session& session, const Pkix& pkix, const SecretKey& key,
                     std::string_view alias);

}  // namespace keystay::keys
