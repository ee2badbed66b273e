// How a token's key signs: the raw mechanism, after hashing in software.
#pragma once

#include <cstddef>
#include <span>
#include <variant>

#include "native/keys/private_key.h"
#include "native/pkcs11/mechanism.h"
#include "provider/digest.h"
#include "provider/software.h"

namespace keystay::provider {

// RSASSA-PSS (RFC 8017, section 8.1). Data: the digest.
struct Pss {
  const Digest* hash;
  const Digest* mgf1;
  std::size_t salt_length;
};

using Scheme = std::variant<pkcs11::RsaPkcs, pkcs11::RsaX509, Pss, pkcs11::Ecdsa, pkcs11::EdDsa>;

// One signature by a key on a token. `signature` has the key's signature_size() bytes.
struct Signing {
  const keys::PrivateKey& key;
  const Scheme& scheme;
  pkcs11::ByteView data;
  std::span<std::uint8_t> signature;
  pkcs11::Deadline deadline;
};

// One C_SignInit and one C_Sign. Where the token lacks CKM_RSA_PKCS_PSS, or the hash function for it, the
// encoding of PSS is made in software and signed by CKM_RSA_X_509. Returns the length of the raw signature.
// Throws pkcs11::Error, Error.
std::size_t sign(const Signing& signing, Software& software);

}  // namespace keystay::provider
