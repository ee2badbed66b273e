// Key objects of a token, as they were when they were read.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "native/pkcs11/public_key.h"
#include "native/pkcs11/session.h"

namespace keystay::pkcs11 {

// CKO_PRIVATE_KEY or CKO_PUBLIC_KEY. The handle is valid only in the session callback that read it.
struct KeyObject {
  CK_OBJECT_HANDLE handle;
  Bytes id;
  std::string label;
  CK_KEY_TYPE type;
  std::optional<PublicKey> public_key;                  // as far as the object itself states it: stated_key.h
  std::vector<CK_MECHANISM_TYPE> allowed_mechanisms{};  // empty: all that the token offers
  std::string fault{};                                  // why what it states is no public key; else empty
};

// The public half that a key object states itself: StatedKey::key.
[[nodiscard]] std::optional<PublicKey> public_key_of(Session& session, CK_OBJECT_HANDLE key);

// The token's keys that the template matches: one search, and one batched read per object. Session objects,
// such as the copies that sessions sign with, are left out.
[[nodiscard]] std::vector<KeyObject> read_keys(Session& session, Template search);
// CKA_CLASS; nothing if the object is gone.
[[nodiscard]] std::optional<CK_OBJECT_CLASS> class_of(Session& session, CK_OBJECT_HANDLE object);
// One object by its handle; nothing if it is no key, or no token object, or gone.
[[nodiscard]] std::optional<KeyObject> read_key(Session& session, CK_OBJECT_HANDLE handle);
// What tells a private key object from another one that has its handle now, and what it may be used for:
// type, CKA_ID, the public half as far as the object shows it, CKA_SIGN, CKA_DECRYPT and CKA_DERIVE. Nothing
// if the object is gone.
[[nodiscard]] std::optional<Attributes> read_identity(Session& session, CK_OBJECT_HANDLE handle);
// What read_keys does with what it read: takes away what some session is only now copying.
void drop_unfinished_copies(Session& session, std::vector<KeyObject>& keys);

}  // namespace keystay::pkcs11
