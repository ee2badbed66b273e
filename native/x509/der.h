// DER out of libcrypto's i2d_… functions.
#pragma once

#include "native/pkcs11/cryptoki.h"
#include "native/x509/error.h"

namespace keystay::x509 {

// `encode(out)` is an i2d_… call with its object bound: i2d functions return the length, and write if they
// are given a place. Throws Error.
template <typename Encode>
[[nodiscard]] pkcs11::Bytes to_der(Encode encode, const char* what) {
  const int size = encode(static_cast<unsigned char**>(nullptr));
  if (size <= 0) throw openssl_error(what);
  pkcs11::Bytes der(static_cast<std::size_t>(size));
  unsigned char* out = der.data();
  if (encode(&out) != size) throw openssl_error(what);
  return der;
}

}  // namespace keystay::x509
