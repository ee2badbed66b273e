// libcrypto as a whole.
#pragma once

namespace keystay::x509 {

// Keeps libcrypto from reading openssl.cnf, which OPENSSL_CONF often names for a server. To be called before
// anything else of libcrypto is.
void ignore_openssl_configuration();

}  // namespace keystay::x509
