#include "native/pkcs11/login.h"

#include <string>
#include <utility>

#include "native/pkcs11/error.h"

namespace keystay::pkcs11 {
namespace {

void refuse_if_locking(const TokenInfo& token) {
  if (token.flags & CKF_USER_PIN_LOCKED) {
    throw Error(ErrorClass::authentication, "the PIN is locked: the security officer must reset it");
  }
  if (token.flags & CKF_USER_PIN_FINAL_TRY) {
    throw Error(
        ErrorClass::authentication,
        "one more wrong PIN locks the token, so Keystay does not log in; log in once by hand with the right "
        "PIN, which resets the counter");
  }
  if (!(token.flags & CKF_USER_PIN_INITIALIZED)) {
    throw Error(ErrorClass::authentication,
                "the user's PIN is not set: the security officer must set it first");
  }
}

bool logged_in(Session& session) {
  const CK_STATE state = session.state();
  return state == CKS_RO_USER_FUNCTIONS || state == CKS_RW_USER_FUNCTIONS;
}

void try_pin(Session& session, Pin pin, std::optional<Pin>& refused) {
  if (refused && refused->equals(pin)) {
    throw Error(
        ErrorClass::authentication,
        "C_Login is not tried again with the PIN that the token refused; correct the configured PIN, or "
        "restart this program if it is the token's PIN that was corrected");
  }
  try {
    session.login(&pin);
    refused.reset();
  } catch (const Error& error) {
    if (error.code() == CKR_USER_PIN_NOT_INITIALIZED) {
      // The token has just said that it is: the module saw it while another process wrote it. That says
      // nothing of the PIN.
      throw Error(ErrorClass::server, std::string(error.what()) + " (the token says that the PIN is set)");
    }
    if (error.error_class() == ErrorClass::authentication) refused = std::move(pin);
    throw;
  }
}

}  // namespace

void log_in(Session& session, const TokenInfo& token, const PinReader& reader, LoginHistory& history,
            Deadline deadline) {
  if (!reader || !(token.flags & CKF_LOGIN_REQUIRED)) return;
  bool done = false;
  while (!done) {  // who waited for another's login has one to try, if that one failed
    history.attempt.run(deadline, [&] {
      done = true;
      if (logged_in(session)) return;
      refuse_if_locking(token);
      if (token.flags & CKF_PROTECTED_AUTHENTICATION_PATH) return session.login(nullptr);
      try_pin(session, reader(), history.refused);
    });
  }
}

}  // namespace keystay::pkcs11
