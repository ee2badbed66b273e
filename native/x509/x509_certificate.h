// Between keys::Certificate and libcrypto's X509.
#pragma once

#include <optional>

#include "native/keys/certificate.h"
#include "native/x509/openssl_types.h"

namespace keystay::x509 {

// Null if the bytes are not exactly one DER certificate; libcrypto's error queue is as before.
[[nodiscard]] X509Certificate parse_x509(pkcs11::ByteView der, OSSL_LIB_CTX* libctx);

// Throws Error if a field cannot be encoded.
[[nodiscard]] keys::Certificate to_certificate(const X509* certificate);

}  // namespace keystay::x509
