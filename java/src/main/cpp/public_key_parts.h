// Public keys as two byte strings, the form in which they cross to org.keystay.jca.PublicKeyParts.
#pragma once

#include <jni.h>

#include "native/pkcs11/public_key.h"

namespace keystay::jni {

// Borrowed from the key.
struct PublicKeyParts {
  jint type;                    // of org.keystay.jca.NativeCodes
  const pkcs11::Bytes& first;   // CKA_MODULUS or CKA_EC_PARAMS
  const pkcs11::Bytes& second;  // CKA_PUBLIC_EXPONENT or the point
};

// False for X25519 keys: key stores of Java are for keys that sign, and have no use for them.
[[nodiscard]] bool has_parts(const pkcs11::PublicKey& key) noexcept;
// Throws std::invalid_argument for a key that has none.
[[nodiscard]] PublicKeyParts parts(const pkcs11::PublicKey& key);
// Throws std::invalid_argument for a type that is none.
[[nodiscard]] pkcs11::PublicKey assemble(jint type, pkcs11::Bytes first, pkcs11::Bytes second);

}  // namespace keystay::jni
