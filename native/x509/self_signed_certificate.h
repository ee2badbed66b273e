// The certificate that -genkeypair puts beside a new key until a CA's reply replaces it.
#pragma once

#include "native/keys/certificate.h"
#include "native/x509/certificate_request.h"
#include "native/x509/signed_certificate.h"

namespace keystay::x509 {

// A version 3 certificate with a random serial number, signed by the key it certifies and verified by
// libcrypto. Throws Error and pkcs11::Error.
[[nodiscard]] keys::Certificate self_signed_certificate(const keys::PrivateKey& key,
                                                        const RequestContent& content, Validity validity);

}  // namespace keystay::x509
