// The text fields of Cryptoki's structures (PKCS #11 v3.0, section 3.2), which are padded with blanks.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>

#include "native/pkcs11/cryptoki.h"

namespace keystay::pkcs11 {

// Without the padding; some modules pad with zeros.
template <std::size_t Size>
[[nodiscard]] std::string unpadded(const CK_UTF8CHAR (&field)[Size]) {
  std::string text(reinterpret_cast<const char*>(field), Size);
  text.erase(std::min(text.find('\0'), text.size()));
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

}  // namespace keystay::pkcs11
