// CKA_ALLOWED_MECHANISMS (PKCS #11 v3.0, section 4.7.2): what a key may be used with, on a token that offers
// more.
#pragma once

#include <vector>

#include "native/pkcs11/attributes.h"

namespace keystay::pkcs11 {

// Empty where the attribute is absent or empty: then all mechanisms are allowed. Some tokens do not know it.
[[nodiscard]] std::vector<CK_MECHANISM_TYPE> allowed_mechanisms(const Attributes& key);

}  // namespace keystay::pkcs11
