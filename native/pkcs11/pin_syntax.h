// What a PIN is as text: CK_UTF8CHAR (PKCS #11 v3.0, section 5.6.8), without characters that are invisible or
// cannot be typed.
#pragma once

#include <string>

#include "native/pkcs11/cryptoki.h"

namespace keystay::pkcs11 {

// Why no token can have been given these bytes as its PIN by a person: a byte-order mark or UTF-16, bytes
// that are not UTF-8, control characters (C0, DEL, C1), characters that have no width, blanks other than
// U+0020, a blank at an end. Completes the sentence "the PIN …", names the offset in bytes, and no character
// of the PIN. Empty if there is nothing: then the PIN is worth one of the attempts that a token counts.
[[nodiscard]] std::string fault_of_pin(ByteView pin);

}  // namespace keystay::pkcs11
