// A signature that is made to be looked at: it shows that a key on a token signs, and is the key that its
// public half says.
#pragma once

#include <chrono>
#include <string_view>

#include "native/keys/entry.h"

namespace keystay::x509 {

// Whether the alias is of a key that signs: not X25519 or X448, nor one whose CKA_ALLOWED_MECHANISMS have
// none of the mechanisms that Keystay signs by. Asks no token; whether it has CKA_SIGN is not known here.
[[nodiscard]] bool is_signing_key(const keys::Entry& entry);

struct TrialSignature {
  std::string_view mechanism;                      // "CKM_ECDSA"
  std::chrono::duration<double, std::milli> took;  // C_SignInit and C_Sign, on a key whose handle is known
};

// Signs twice with an alias that is_signing_key(), random data each time, and has libcrypto verify both. RSA
// keys sign by PKCS #1 v1.5, or by PSS where the key, its certificate or the token wants that. Throws
// pkcs11::Error, and Error if a signature is wrong.
[[nodiscard]] TrialSignature make_trial_signature(const keys::Entry& entry);

}  // namespace keystay::x509
