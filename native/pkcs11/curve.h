// The named curves that Keystay knows, under every name that standards and programs use for them.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "native/pkcs11/cryptoki.h"

namespace keystay::pkcs11 {

struct Curve {
  std::string_view name;          // "P-256": SP 800-186, RFC 5639, RFC 8032, RFC 7748
  std::string_view sec_name;      // "secp256r1": SEC 2, also keytool's -groupname; empty if there is none
  std::string_view openssl_name;  // "prime256v1": OpenSSL's short name
  CK_KEY_TYPE key_type;           // CKK_EC, CKK_EC_EDWARDS or kMontgomeryKey
  std::string_view parameters;    // CKA_EC_PARAMS: the DER OBJECT IDENTIFIER
  std::size_t signature_size;     // bytes of a raw signature; 0 where there are none
  std::size_t point_size;         // bytes of a public key, of CKK_EC the uncompressed point
};

[[nodiscard]] std::span<const Curve> curves() noexcept;

// By any of its names, letters in either case; null if unknown.
[[nodiscard]] const Curve* find_curve(std::string_view name) noexcept;
// By CKA_EC_PARAMS: the OID (RFC 5480, RFC 5639, RFC 8410, or the earlier one of OpenSC for 25519), or a name
// as a PrintableString or UTF8String; null if unknown.
[[nodiscard]] const Curve* find_curve_by_parameters(ByteView parameters) noexcept;

}  // namespace keystay::pkcs11
