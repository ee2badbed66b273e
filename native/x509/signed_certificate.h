// Certificates (RFC 5280) that a key on a token signs: for itself, or as a CA.
#pragma once

#include <chrono>

#include "native/keys/certificate.h"
#include "native/keys/private_key.h"
#include "native/x509/openssl_types.h"
#include "native/x509/signature_algorithm.h"

namespace keystay::x509 {

struct Validity {
  std::chrono::sys_seconds not_before;
  std::chrono::days length;
};

// What a certificate says, besides its serial number.
struct CertificateContent {
  X509Name subject;
  X509Name issuer;
  EvpPkey public_key;  // of the subject
  X509Extensions extensions;
  Validity validity;
};

// A certificate of version 3 with a random serial number, signed by the key of the issuer and verified by
// libcrypto with `issuer_key`. Throws Error and pkcs11::Error.
[[nodiscard]] keys::Certificate signed_certificate(const CertificateContent& content,
                                                   const keys::PrivateKey& issuer, EVP_PKEY* issuer_key,
                                                   const SignatureAlgorithm& algorithm);

}  // namespace keystay::x509
