#include "native/pkcs11/login.h"

#include <string>
#include <utility>

#include "native/pkcs11/error.h"
#include "native/pkcs11/pin_syntax.h"

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

std::string the_pin(const Pin& pin) {
  return pin.origin().empty() ? std::string("the PIN") : "the PIN from " + pin.origin();
}

// A token counts wrong PINs, so what no person gave it as one is not tried.
void require_plausible(const Pin& pin) {
  const std::string fault = fault_of_pin(pin.bytes());
  if (fault.empty()) return;
  throw Error(ErrorClass::authentication, "C_Login is not tried: " + the_pin(pin) + " " + fault +
                                              "; write the PIN alone, in UTF-8 without a byte-order mark");
}

template <typename Login>
void try_pin(const Login& login, Pin pin, std::optional<Pin>& refused) {
  require_plausible(pin);
  if (refused && refused->equals(pin)) {
    throw Error(
        ErrorClass::authentication,
        "C_Login is not tried again: the token refused " + the_pin(pin) +
            " before; correct it, or restart this program if it is the token's PIN that was corrected");
  }
  try {
    login(pin);
    refused.reset();
  } catch (const Error& error) {
    if (error.code() == CKR_USER_PIN_NOT_INITIALIZED) {
      // The token has just said that it is: the module saw it while another process wrote it. That says
      // nothing of the PIN.
      throw Error(ErrorClass::server, std::string(error.what()) + " (the token says that the PIN is set)");
    }
    if (error.error_class() != ErrorClass::authentication) throw;
    const std::string wrong = "C_Login: " + describe(CKR_PIN_INCORRECT) + "; " + the_pin(pin) +
                              " is wrong: correct it; it is not tried again as it is, so that the token "
                              "does not lock";
    refused = std::move(pin);
    if (error.code() == CKR_PIN_INCORRECT) throw Error(CKR_PIN_INCORRECT, wrong);
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
      try_pin([&](const Pin& pin) { session.login(&pin); }, reader(), history.refused);
    });
  }
}

void log_in_for_operation(Session& session, const TokenInfo& token, const PinReader& reader,
                          LoginHistory& history, Deadline deadline) {
  if (!reader) {
    throw Error(
        ErrorClass::authentication,
        "the key has CKA_ALWAYS_AUTHENTICATE: the token wants the PIN for each operation; configure `pin`");
  }
  bool done = false;
  while (!done) {  // who waited for another's login has its own to make
    history.attempt.run(deadline, [&] {
      done = true;
      if (token.flags & CKF_PROTECTED_AUTHENTICATION_PATH) return session.login_for_operation(nullptr);
      try_pin([&](const Pin& pin) { session.login_for_operation(&pin); }, reader(), history.refused);
    });
  }
}

void require_login(Session& session, const TokenInfo& token, const PinReader& reader) {
  if (!(token.flags & CKF_LOGIN_REQUIRED) || logged_in(session)) return;
  if (reader)
    throw Error(CKR_USER_NOT_LOGGED_IN, "the login to the token was ended by another user of its module");
  throw Error(
      ErrorClass::authentication,
      "the token wants a login and no PIN is configured: what it does not show without one may be there "
      "all the same; configure its `pin`, or give keystay one with -storepass:file FILE");
}

}  // namespace keystay::pkcs11
