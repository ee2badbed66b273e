// Names and dates in the form in which keytool shows them, which scripts parse.
#pragma once

#include <string>

#include "native/x509/openssl_types.h"

namespace keystay::x509 {

// `CN=www.example.org, O="Example, Inc.", C=DE`, a value that has special characters in quotation marks. What
// cannot be seen in it is written as pkcs11::printable() does. Throws Error.
[[nodiscard]] std::string displayed_name(const X509_NAME* name);

// "DNSName: example.org", "URIName: https://example.org/".
[[nodiscard]] std::string displayed_general_name(const GENERAL_NAME* name);

// "Sat Nov 21 09:37:21 UTC 2026". Throws Error.
[[nodiscard]] std::string displayed_time(const ASN1_TIME* time);

// "1.2.3.4".
[[nodiscard]] std::string dotted(const ASN1_OBJECT* object);

// JCA's name, "SHA256withRSA", or the dotted OID.
[[nodiscard]] std::string displayed_signature_algorithm(const X509_ALGOR* algorithm);

// "2048-bit RSA key", "256-bit EC (secp256r1) key", "Ed25519 key".
[[nodiscard]] std::string displayed_key(X509_PUBKEY* key);

// In hexadecimal, without zeros before it.
[[nodiscard]] std::string displayed_number(const ASN1_INTEGER* number);
// "0a:ff", as many bytes as its DER has.
[[nodiscard]] std::string displayed_bytes(const ASN1_INTEGER* number);

}  // namespace keystay::x509
