// Finding the slot that holds a token: by label and serial, never by number, because numbers change.
#pragma once

#include <string>
#include <string_view>

#include "native/pkcs11/module.h"

namespace keystay::pkcs11 {

// What CK_TOKEN_INFO says, without the padding.
struct TokenInfo {
  std::string label;
  std::string manufacturer;
  std::string model;
  std::string serial;
  CK_FLAGS flags = 0;
  CK_ULONG max_sessions = CK_UNAVAILABLE_INFORMATION;  // CK_EFFECTIVELY_INFINITE (0) or a number
};

[[nodiscard]] TokenInfo token_info(CK_FUNCTION_LIST& functions, CK_SLOT_ID slot);

// Which token is meant, by what CK_TOKEN_INFO says of it; empty means any.
struct TokenIdentity {
  std::string label;
  std::string serial;
  std::string manufacturer{};
  std::string model{};

  bool operator==(const TokenIdentity&) const = default;
};

// For messages: `token with label "web" and serial "0123"`.
[[nodiscard]] std::string to_string(const TokenIdentity& identity);

// The one slot whose token it is. Throws Error: server if there is none, client if several match.
[[nodiscard]] CK_SLOT_ID find_slot(Module& module, const TokenIdentity& wanted, Deadline deadline);

}  // namespace keystay::pkcs11
