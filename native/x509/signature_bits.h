// The BIT STRING that carries a signature in a certificate or request.
#pragma once

#include "native/pkcs11/cryptoki.h"
#include "native/x509/openssl_types.h"

namespace keystay::x509 {

using BitString = Owned<ASN1_BIT_STRING, ASN1_BIT_STRING_free>;

// Throws Error.
[[nodiscard]] BitString signature_bits(pkcs11::ByteView signature);

}  // namespace keystay::x509
