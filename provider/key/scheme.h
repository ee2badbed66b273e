// What a token's key does: an operation of the core, after hashing in software and before unpadding there,
// and what stands in for it where a token lacks the mechanism.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <variant>

#include "native/keys/private_key.h"
#include "native/pkcs11/mechanism.h"
#include "provider/signature/digest.h"
#include "provider/software.h"

namespace keystay::provider {

// RSASSA-PSS (RFC 8017, section 8.1). Data: the digest.
struct Pss {
  const Digest* hash;
  const Digest* mgf1;
  std::size_t salt_length;
};

// RSADP (RFC 8017, section 5.1.2). Data: the ciphertext, as long as the modulus. Result: the padded block, as
// long as the modulus.
struct RsaDecryption {
  // Where the token does not decrypt by CKM_RSA_X_509; the result is the message then, which is shorter.
  std::optional<pkcs11::RsaOaep> otherwise;
};

// One operation of the token's, or one for which the token has several ways.
using Scheme = std::variant<pkcs11::Operation, Pss, RsaDecryption>;

// One operation by a key on a token. The result of a signature has room for signature_size() bytes.
struct PrivateOperation {
  const keys::PrivateKey& key;
  const Scheme& scheme;
  pkcs11::ByteView data;
  std::span<std::uint8_t> result;
  pkcs11::Deadline deadline;
};

// A signature is one C_SignInit and one C_Sign. Where the token lacks CKM_RSA_PKCS_PSS, or the hash function
// for it, the encoding of PSS is made in software and signed by CKM_RSA_X_509. Returns the length of the
// result. Throws pkcs11::Error, Error.
std::size_t perform(const PrivateOperation& operation, Software& software);

}  // namespace keystay::provider
