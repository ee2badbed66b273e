// Making a key pair on a token, or bringing one to it: never extractable, and under an unfinished label,
// which naming.h replaces by the alias when everything else is there.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "native/keys/key_spec.h"
#include "native/keys/pkix.h"
#include "native/pkcs11/public_key.h"
#include "native/pkcs11/session.h"

namespace keystay::keys {

// A key pair that the token is to make.
struct KeyRequest {
  // A specification alone is a request.
  KeyRequest(KeySpec wanted, KeyUse wanted_use = KeyUse::sign, pkcs11::Bytes wanted_id = {})
      : spec(std::move(wanted)), use(wanted_use), id(std::move(wanted_id)) {}

  KeySpec spec;
  KeyUse use;
  pkcs11::Bytes id;  // CKA_ID; empty: the hash of its public key (docs/design/alias-model.md)
};

// Generates a key pair, gives both halves their CKA_ID and reads them back. On an error nothing remains, as
// far as the token still answers. Repeatable: what an earlier try left under this label is removed. Returns
// the CKA_ID.
pkcs11::Bytes generate_key_pair(pkcs11::Session& session, const KeyRequest& request, const Pkix& pkix,
                                std::string_view unfinished);

// A key pair that was made elsewhere.
struct SoftwareKey {
  pkcs11::PublicKey public_key;
  // Big-endian: of an RSA key CKA_PRIVATE_EXPONENT, CKA_PRIME_1, CKA_PRIME_2, CKA_EXPONENT_1, CKA_EXPONENT_2
  // and CKA_COEFFICIENT, of any other CKA_VALUE. Borrowed: who owns the bytes wipes them.
  std::vector<pkcs11::ByteView> private_half;
};

// The same for a key pair that exists. The token knows for ever that it did not make the private half:
// CKA_LOCAL, CKA_ALWAYS_SENSITIVE and CKA_NEVER_EXTRACTABLE are false.
pkcs11::Bytes import_key_pair(pkcs11::Session& session, const SoftwareKey& key, KeyUse use, const Pkix& pkix,
                              std::string_view unfinished);

// Destroys every object under this label.
void destroy_labelled(pkcs11::Session& session, std::string_view unfinished);

}  // namespace keystay::keys
