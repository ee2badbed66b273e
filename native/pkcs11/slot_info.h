// What a module shows of a slot, its token and the token's mechanisms (PKCS #11 v3.0, sections 3.2 and 5.5),
// for those who prepare tokens. Values only.
#pragma once

#include <optional>
#include <string>

#include "native/pkcs11/cryptoki.h"
#include "native/pkcs11/token_info.h"

namespace keystay::pkcs11 {

struct TokenDetails : TokenInfo {
  unsigned long shortest_pin = 0;  // bytes, as ulMinPinLen and ulMaxPinLen
  unsigned long longest_pin = 0;
  std::optional<unsigned long> sessions{};  // open now, of all programs; nothing if the token does not tell
  std::string hardware_version{};           // "2.6"
  std::string firmware_version{};
};

struct SlotInfo {
  unsigned long number = 0;  // valid until the module is initialised anew
  std::string description{};
  std::string manufacturer{};
  CK_FLAGS flags = 0;
  std::optional<TokenDetails> token{};
  std::string fault{};  // why the token in it cannot be asked; else empty
};

struct MechanismInfo {
  CK_MECHANISM_TYPE type = 0;
  unsigned long smallest_key = 0;  // in the mechanism's own unit, bits or bytes
  unsigned long largest_key = 0;
  CK_FLAGS flags = 0;
};

// Who logs in: each has a PIN, with a counter of its own for wrong ones.
enum class Role { user, security_officer };

// What the token's flags say of a role's PIN (CKF_USER_PIN_… and CKF_SO_PIN_…).
enum class PinState {
  not_set,    // of the user; the security officer's is set with the token
  good,       // and no wrong one was given since the last right one
  count_low,  // a wrong one was given since then
  final_try,  // one more locks it
  locked,
  to_be_changed  // it is the manufacturer's, or one that was set by another, and must be changed first
};
[[nodiscard]] PinState pin_state(CK_FLAGS token_flags, Role role) noexcept;

}  // namespace keystay::pkcs11
