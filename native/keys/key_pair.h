// Making a key pair on a token, or bringing one to it: never extractable, and named only when it is complete.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "native/keys/key_spec.h"
#include "native/keys/pkix.h"
#include "native/pkcs11/public_key.h"
#include "native/pkcs11/session.h"

namespace keystay::keys {

// The label of a key pair until it is complete. A crash leaves it, so that the remains can be told and
// destroyed.
[[nodiscard]] std::string pending_label();

struct KeyPairNames {
  std::string_view alias;
  std::string_view pending;  // until it is complete
};

// Generates a key pair under the pending label, gives it its CKA_ID, then the label of its alias. On an error
// nothing remains, as far as the token still answers. Repeatable: what an earlier try left under the pending
// label is removed.
void generate_key_pair(pkcs11::Session& session, const KeySpec& spec, KeyUse use, const Pkix& pkix,
                       const KeyPairNames& names);

// A key pair that was made elsewhere.
struct SoftwareKey {
  pkcs11::PublicKey public_key;
  // Big-endian: of an RSA key CKA_PRIVATE_EXPONENT, CKA_PRIME_1, CKA_PRIME_2, CKA_EXPONENT_1, CKA_EXPONENT_2
  // and CKA_COEFFICIENT, of any other CKA_VALUE. Borrowed: who owns the bytes wipes them.
  std::vector<pkcs11::ByteView> private_half;
};

// The same for a key pair that exists. The token knows for ever that it did not make the private half:
// CKA_LOCAL, CKA_ALWAYS_SENSITIVE and CKA_NEVER_EXTRACTABLE are false.
void import_key_pair(pkcs11::Session& session, const SoftwareKey& key, KeyUse use, const Pkix& pkix,
                     const KeyPairNames& names);

}  // namespace keystay::keys
