// What a token says of how its private and secret keys are protected, and what they may be used for (PKCS #11
// v3.0, sections 4.7 to 4.9): for an audit. Nothing where the token does not say it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "native/keys/key_source.h"

namespace keystay::keys {

struct KeyProtection {
  CK_OBJECT_CLASS object_class;           // CKO_PRIVATE_KEY or CKO_SECRET_KEY
  pkcs11::Bytes id;                       // CKA_ID
  std::string label;                      // CKA_LABEL
  std::optional<bool> local;              // CKA_LOCAL: made in the token, not brought there
  std::optional<bool> sensitive;          // CKA_SENSITIVE
  std::optional<bool> always_sensitive;   // CKA_ALWAYS_SENSITIVE
  std::optional<bool> extractable;        // CKA_EXTRACTABLE
  std::optional<bool> never_extractable;  // CKA_NEVER_EXTRACTABLE
  std::vector<std::string>
      uses;  // "sign", "sign-recover", "decrypt", "unwrap", "derive", "encrypt", "wrap": what the key allows
};

// Of all private and secret keys among the token's objects: a search for each class, one batched read for
// each key. Throws pkcs11::Error.
[[nodiscard]] std::vector<KeyProtection> read_key_protection(KeySource& source);

}  // namespace keystay::keys
