// The user's login at a token: once for all sessions of a process, never undone (PKCS #11 v3.0,
// section 5.6.8).
#pragma once

#include <mutex>
#include <optional>

#include "native/pkcs11/pin.h"
#include "native/pkcs11/session.h"
#include "native/pkcs11/slot.h"

namespace keystay::pkcs11 {

class Login final {
 public:
  // An empty reader: the token is used without a login.
  explicit Login(PinReader reader) : reader_(std::move(reader)) {}

  // C_Login through this session, if the token wants a login and nobody is logged in. Not tried with a PIN
  // that the token has refused before, nor when the next refusal would lock the token. Throws Error
  // (authentication). One thread at a time.
  void perform(Session& session, const TokenInfo& token);

 private:
  void refuse_if_locking(const TokenInfo& token) const;

  PinReader reader_;
  std::optional<Pin> refused_;
};

}  // namespace keystay::pkcs11
