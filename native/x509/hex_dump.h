// Bytes for people, sixteen in a line, as keytool shows them.
#pragma once

#include <string>

#include "native/pkcs11/cryptoki.h"

namespace keystay::x509 {

// "0000: 2E D5 …   77 71 …  .w…", each line ended.
[[nodiscard]] std::string hex_dump(pkcs11::ByteView bytes);

}  // namespace keystay::x509
