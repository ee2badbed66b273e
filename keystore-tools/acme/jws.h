// JSON Web Signatures (RFC 7515) as ACME has them (RFC 8555, section 6.2): flattened JSON serialization, by a
// key whose algorithm is one of RFC 7518 or RFC 8037; and that key as a JSON Web Key (RFC 7517) with its
// thumbprint (RFC 7638).
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "native/keys/private_key.h"

namespace keystay::tools::acme {

// A key that signs, wherever it is.
struct JwsKey {
  std::string algorithm;  // "alg": "RS256", "ES256", "ES384", "ES512" or "EdDSA"
  std::string jwk;        // the public key, as jwk_of() writes it
  std::function<pkcs11::Bytes(std::string_view signing_input)> sign;  // RFC 7518, section 3
};

// A key on a token. Throws UsageError for a key that JWS has no algorithm for: X25519, or a curve that is not
// NIST's.
[[nodiscard]] JwsKey jws_key(const keys::PrivateKey& key);

// The required members in lexicographic order without blanks: what RFC 7638, section 3, hashes. Throws
// likewise.
[[nodiscard]] std::string jwk_of(const pkcs11::PublicKey& key);

// Base64url of the SHA-256 of the key.
[[nodiscard]] std::string thumbprint_of(std::string_view jwk);

// {"protected": …, "payload": …, "signature": …} of a protected header in JSON and any payload.
[[nodiscard]] std::string flattened_jws(std::string_view header, std::string_view payload,
                                        const std::function<pkcs11::Bytes(std::string_view)>& sign);

// HS256 (RFC 7518, section 3.2). Throws x509::Error.
[[nodiscard]] pkcs11::Bytes hmac_sha256(pkcs11::ByteView key, std::string_view message);

// Throws x509::Error.
[[nodiscard]] pkcs11::Bytes sha256(std::string_view message);

}  // namespace keystay::tools::acme
