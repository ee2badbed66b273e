#include "native/x509/libcrypto.h"

#include <openssl/crypto.h>

#include "native/x509/error.h"

namespace keystay::x509 {

void ignore_openssl_configuration() {
  if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr) != 1)
    throw openssl_error("cannot start libcrypto");
}

}  // namespace keystay::x509
