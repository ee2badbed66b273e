// Textual encodings (RFC 7468).
#pragma once

#include <string>

#include "native/pkcs11/cryptoki.h"

namespace keystay::x509 {

inline constexpr char kCertificateLabel[] = "CERTIFICATE";
inline constexpr char kRequestLabel[] = "CERTIFICATE REQUEST";
inline constexpr char kRevocationListLabel[] = "X509 CRL";

// One block, its last line ended. Throws Error.
[[nodiscard]] std::string to_pem(const char* label, pkcs11::ByteView der);

}  // namespace keystay::x509
