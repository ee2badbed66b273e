// Points of elliptic curves (SEC 1, section 2.3).
#pragma once

#include <optional>

#include "native/pkcs11/cryptoki.h"
#include "native/pkcs11/curve.h"

namespace keystay::x509 {

// The point in the uncompressed form, from any form; nothing if it is not on the curve. libcrypto's error
// queue is as before.
[[nodiscard]] std::optional<pkcs11::Bytes> uncompressed_point(pkcs11::ByteView point,
                                                              const pkcs11::Curve& curve);

}  // namespace keystay::x509
