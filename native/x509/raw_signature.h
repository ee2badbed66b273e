// Signatures as tokens make them, verified by libcrypto.
#pragma once

#include "native/pkcs11/mechanism.h"
#include "native/pkcs11/public_key.h"
#include "native/x509/openssl_types.h"

namespace keystay::x509 {

// Whether it is a signature of the data by this key: data and signature as SignMechanism says of each.
// `libctx` may be null. Leaves nothing on libcrypto's error queue. Throws pkcs11::Error if libcrypto cannot
// verify.
[[nodiscard]] bool verifies(const pkcs11::PublicKey& key, const pkcs11::SignMechanism& mechanism,
                            pkcs11::ByteView data, pkcs11::ByteView signature, OSSL_LIB_CTX* libctx);

}  // namespace keystay::x509
