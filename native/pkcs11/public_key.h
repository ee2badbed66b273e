// Public keys as PKCS #11 attributes hold them. Keystay compares keys by these values.
#pragma once

#include <cstddef>
#include <variant>

#include "native/pkcs11/cryptoki.h"

namespace keystay::pkcs11 {

struct RsaPublicKey {
  Bytes modulus;          // CKA_MODULUS: big-endian, no leading zero
  Bytes public_exponent;  // CKA_PUBLIC_EXPONENT: likewise
  bool operator==(const RsaPublicKey&) const = default;
};

struct EcPublicKey {
  Bytes parameters;  // CKA_EC_PARAMS: DER ECParameters, a named curve's OID
  Bytes point;       // X9.62 uncompressed point, without the OCTET STRING around CKA_EC_POINT
  bool operator==(const EcPublicKey&) const = default;
};

struct EdwardsPublicKey {
  Bytes parameters;  // CKA_EC_PARAMS: the curve's OID, or its name as a PrintableString
  Bytes point;       // RFC 8032 encoding, without the OCTET STRING around CKA_EC_POINT
  bool operator==(const EdwardsPublicKey&) const = default;
};

// A key that agrees on secrets and cannot sign.
struct MontgomeryPublicKey {
  Bytes parameters;  // CKA_EC_PARAMS, as of an Edwards key
  Bytes point;       // RFC 7748's u-coordinate, little-endian
  bool operator==(const MontgomeryPublicKey&) const = default;
};

using PublicKey = std::variant<RsaPublicKey, EcPublicKey, EdwardsPublicKey, MontgomeryPublicKey>;

// CKK_RSA, CKK_EC, CKK_EC_EDWARDS or kMontgomeryKey.
[[nodiscard]] CK_KEY_TYPE key_type(const PublicKey& key) noexcept;

// The length in bytes of a raw signature by the private key: the modulus', r || s', or RFC 8032's;
// 0 for a key that makes none.
// Throws Error (client) for a curve that Keystay does not know.
[[nodiscard]] std::size_t signature_size(const PublicKey& key);

}  // namespace keystay::pkcs11
