// The PEM file that stands for a key on a token: the format that pkcs11-provider reads and writes, label
// "PKCS#11 PROVIDER URI", around SEQUENCE { desc VisibleString, uri UTF8String }.
//
// Ours carry the public key in the URI's vendor attribute keystay-spki, which pkcs11-provider skips, so that
// loading one touches no token.
#pragma once

#include <string>
#include <string_view>

#include "native/pkcs11/public_key.h"
#include "native/pkcs11/uri.h"

namespace keystay::x509 {

inline constexpr char kPemReferenceLabel[] = "PKCS#11 PROVIDER URI";

// The DER of the sequence, and the PEM text around it. Throws Error.
[[nodiscard]] pkcs11::Bytes encode_reference(const pkcs11::Uri& uri);
[[nodiscard]] std::string encode_pem_reference(const pkcs11::Uri& uri);

// The URI in the DER of such a sequence. Throws Error for other DER, pkcs11::Error for a URI that is none.
[[nodiscard]] pkcs11::Uri decode_reference(pkcs11::ByteView der);
// The same from PEM text, which may hold other blocks before. Throws Error if it has no reference.
[[nodiscard]] pkcs11::Uri decode_pem_reference(std::string_view pem);

// The value of keystay-spki: base64url without padding (RFC 4648, section 5) of the SubjectPublicKeyInfo.
[[nodiscard]] std::string encode_spki_attribute(pkcs11::ByteView spki);
[[nodiscard]] std::string encode_spki_attribute(const pkcs11::PublicKey& key);
// Throws Error for a value that is no public key.
[[nodiscard]] pkcs11::PublicKey decode_spki_attribute(std::string_view value);
// The DER in it, which may be anything. Throws Error for a value that is not base64url.
[[nodiscard]] pkcs11::Bytes spki_in_attribute(std::string_view value);

}  // namespace keystay::x509
