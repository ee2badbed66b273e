// The standard's names of mechanisms.
#pragma once

#include <string>

#include "native/pkcs11/cryptoki.h"

namespace keystay::pkcs11 {

// "CKM_ECDSA"; the number, "0x4321", of one that no version of the standard that is known here names, or a
// vendor's own.
[[nodiscard]] std::string mechanism_name(CK_MECHANISM_TYPE type);

}  // namespace keystay::pkcs11
