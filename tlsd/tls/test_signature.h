// One real signature with the key of a certificate: the proof that the key can be used now.
#pragma once

#include "tlsd/tls/certificate.h"

namespace keystay::tlsd {

// Signs random bytes as a TLS handshake would (RSA: PSS) and verifies them with the leaf. Blocks as long as
// the token takes. Throws CryptoError.
void make_test_signature(OSSL_LIB_CTX* library, const Certificate& certificate);

}  // namespace keystay::tlsd
