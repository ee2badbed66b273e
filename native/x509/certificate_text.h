// Certificates and keys as text for people, in the words of `keytool -list -v`.
#pragma once

#include <chrono>
#include <string>

#include "native/keys/certificate.h"

namespace keystay::x509 {

// "AB:CD:…", by a digest of libcrypto's name: "SHA256". Throws Error.
[[nodiscard]] std::string fingerprint(const keys::Certificate& certificate, const char* digest);

// "2048-bit RSA key", "EC (P-256) key", "Ed25519 key".
[[nodiscard]] std::string describe_key(const pkcs11::PublicKey& key);

// "Sat Nov 21 09:37:21 UTC 2026".
[[nodiscard]] std::string describe_time(std::chrono::system_clock::time_point time);

// Owner, issuer, serial number, validity, fingerprints, algorithms, version and extensions, line by line as
// keytool's -list -v and -printcert have them. Throws Error.
[[nodiscard]] std::string describe_certificate(const keys::Certificate& certificate);

}  // namespace keystay::x509
