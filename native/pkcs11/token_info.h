// What CK_TOKEN_INFO says of a token (PKCS #11 v3.0, section 3.2), and what of it names one.
#pragma once

#include <string>

#include "native/pkcs11/cryptoki.h"

namespace keystay::pkcs11 {

// Without the padding.
struct TokenInfo {
  std::string label;
  std::string manufacturer;
  std::string model;
  std::string serial;
  CK_FLAGS flags = 0;
  CK_ULONG max_sessions = CK_UNAVAILABLE_INFORMATION;  // CK_EFFECTIVELY_INFINITE (0) or a number
};

// Which token is meant; empty means any.
struct TokenIdentity {
  std::string label;
  std::string serial;
  std::string manufacturer{};
  std::string model{};

  bool operator==(const TokenIdentity&) const = default;
};

// For messages: `token with label "web" and serial "0123"`.
[[nodiscard]] std::string to_string(const TokenIdentity& identity);

}  // namespace keystay::pkcs11
