// Certification requests (PKCS #10, RFC 2986).
#pragma once

#include <string>
#include <vector>

#include "native/keys/private_key.h"
#include "native/x509/openssl_types.h"

namespace keystay::x509 {

// What a request or a certificate says, besides the key.
struct RequestContent {
  X509Name subject;
  std::vector<std::string> extensions;  // as keytool's -ext writes them
  std::string signature_algorithm;      // JCA's name; empty: the usual one for the key
  pkcs11::Bytes rsa_pss_spki = {};      // rsa_pss_key.h: of a key for RSASSA-PSS only; empty: of all others
};

// The DER of a request that the key has signed and libcrypto has verified. Throws Error and pkcs11::Error.
[[nodiscard]] pkcs11::Bytes certificate_request(const keys::PrivateKey& key, const RequestContent& content);
// The same for a key in software, which signs with SHA-256, whatever `signature_algorithm` is.
[[nodiscard]] pkcs11::Bytes certificate_request(EVP_PKEY* key, const RequestContent& content);

}  // namespace keystay::x509
