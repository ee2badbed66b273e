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

// A token counts wrong PINs, so what no person gave it as one is not tried. `consequence` begins the message.
void require_plausible(const Pin& pin, const char* consequence) {
  const std::string fault = fault_of_pin(pin.bytes());
  if (fault.empty()) return;
  throw Error(ErrorClass::authentication, consequence + the_pin(pin) + " " + fault +
                                              "; write the PIN alone, in UTF-8 without a byte-order mark");
}

void require_not_refused(const LoginHistory& history, const Pin& pin) {
  if (!history.refused.contains(history.token, pin)) return;
  throw Error(ErrorClass::authentication,
              "C_Login is not tried again: the token refused " + the_pin(pin) +
                  " before; correct it, or restart this program if it is the token's PIN that was corrected");
}

// The error of a C_Login that failed without a word on the PIN.
Error doubtful(const Error& error) {
  if (error.code() != CKR_USER_PIN_NOT_INITIALIZED) return error;
  // The token has just said that it is: the module saw it while another process wrote it.
  return {ErrorClass::server, std::string(error.what()) + " (the token says that the PIN is set)"};
}

template <typename Login>
void try_pin(const Login& login, Pin pin, CK_FLAGS token_flags, LoginHistory& history, Deadline deadline) {
  require_plausible(pin, "C_Login is not tried: ");
  require_not_refused(history, pin);
  history.doubtful.wait_for_turn(&pin, deadline);
  try {
    login(pin);
  } catch (const Error& error) {
    if (error.error_class() != ErrorClass::authentication || error.code() == CKR_USER_PIN_NOT_INITIALIZED) {
      history.doubtful.add(doubtful(error), std::move(pin), token_flags);
      throw doubtful(error);
    }
    const std::string wrong = "C_Login: " + describe(CKR_PIN_INCORRECT) + "; " + the_pin(pin) +
                              " is wrong: correct it; it is not tried again as it is, so that the token "
                              "does not lock";
    history.refused.add(history.token, std::move(pin));
    if (error.code() == CKR_PIN_INCORRECT) throw Error(CKR_PIN_INCORRECT, wrong);
    throw;
  }
}

// At a token with a PIN pad, where a person types the PIN: whatever fails there is tried again, but not at
// the pace of the signatures that want it.
template <typename Login>
void try_pin_pad(const Login& login, CK_FLAGS token_flags, DoubtfulLogins& doubtful_logins,
                 Deadline deadline) {
  doubtful_logins.wait_for_turn(nullptr, deadline);
  try {
    login();
  } catch (const Error& error) {
    doubtful_logins.add(error, std::nullopt, token_flags);
    throw;
  }
}

// One C_Login, by `login`, which takes the PIN or, for a PIN pad, a null pointer.
template <typename Login>
void try_login(const Login& login, const TokenInfo& token, const PinReader& reader, LoginHistory& history,
               Deadline deadline) {
  for (Pin& counted : history.doubtful.take_counted(token.flags))
    history.refused.add(history.token, std::move(counted));
  if (token.flags & CKF_PROTECTED_AUTHENTICATION_PATH) {
    try_pin_pad([&] { login(nullptr); }, token.flags, history.doubtful, deadline);
  } else {
    try_pin([&](const Pin& pin) { login(&pin); }, reader(), token.flags, history, deadline);
  }
  history.doubtful.clear();
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
      try_login([&](const Pin* pin) { session.login(pin); }, token, reader, history, deadline);
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
      try_login([&](const Pin* pin) { session.login_for_operation(pin); }, token, reader, history, deadline);
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

void require_repeatable_login(Session& session, const TokenInfo& token, const PinReader& reader) {
  if (!(token.flags & CKF_LOGIN_REQUIRED)) return;
  if (!reader) {
    if (!logged_in(session)) return;  // what is used of it shows without a login
    throw Error(ErrorClass::authentication,
                "no PIN is configured: this process is logged in from before, and one that starts now would "
                "not be; configure its `pin`");
  }
  if (token.flags & CKF_PROTECTED_AUTHENTICATION_PATH) return;  // a person types it there
  require_plausible(reader(), "");
}

}  // namespace keystay::pkcs11
