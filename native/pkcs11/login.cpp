#include "native/pkcs11/login.h"

#include <chrono>
#include <optional>
#include <string>
#include <thread>

#include "native/pkcs11/error.h"
#include "native/pkcs11/pin_syntax.h"

namespace keystay::pkcs11 {
namespace {

using namespace std::chrono_literals;

// Another process that has been in C_Login for longer hangs, and keeps the others from it no more. What takes
// a network HSM longest, the change to another of a cluster, is shorter.
constexpr auto kLongestLogin = 30s;
constexpr auto kBetweenLooks = 2ms;  // at a turn that another process has

void refuse_if_locking(CK_FLAGS token_flags) {
  if (token_flags & CKF_USER_PIN_LOCKED) {
    throw Error(ErrorClass::authentication, "the PIN is locked: the security officer must reset it");
  }
  if (token_flags & CKF_USER_PIN_FINAL_TRY) {
    throw Error(
        ErrorClass::authentication,
        "one more wrong PIN locks the token, so Keystay does not log in; log in once by hand with the right "
        "PIN, which resets the counter");
  }
  if (!(token_flags & CKF_USER_PIN_INITIALIZED)) {
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

void require_not_refused(const LoginRecord& record, const Pin& pin, PinDigest digest) {
  if (!record.refused.contains(digest)) return;
  throw Error(ErrorClass::authentication,
              "C_Login is not tried again: the token refused " + the_pin(pin) +
                  " before; correct it, or restart this program if it is the token's PIN that was corrected");
}

// Whether the token has judged the PIN, and not the moment (PKCS #11 v3.0, section 5.6.8).
bool refuses_pin(CK_RV code) {
  return code == CKR_PIN_INCORRECT || code == CKR_PIN_INVALID || code == CKR_PIN_LEN_RANGE ||
         code == CKR_PIN_EXPIRED || code == CKR_PIN_LOCKED || code == kPinTooWeak;
}

// Remembers the failure, and throws the error for the caller.
[[noreturn]] void fail(const Error& error, const Pin& pin, PinDigest digest, CK_FLAGS token_flags,
                       LoginRecord& record) {
  const CK_RV code = error.code().value_or(CKR_GENERAL_ERROR);
  if (!refuses_pin(code)) {
    // Of a PIN that the token has just accepted there is no doubt; but the next one of it waits for its turn.
    if (record.accepted.is(digest))
      record.accepted.clear();
    else
      record.doubtful.add(code, digest, token_flags);
    throw DoubtfulLogins::error(code);
  }
  record.accepted.clear();
  record.refused.add(digest);
  if (code != CKR_PIN_INCORRECT) throw error;
  throw Error(code,
              "C_Login: " + describe(code) + "; " + the_pin(pin) +
                  " is wrong: correct it; it is not tried again as it is, so that the token does not lock");
}

// The turn among the processes that share the record; none if the token has just accepted this PIN, so that
// many may use it at once. Brings the token's flags up to date where others have tried theirs meanwhile.
std::optional<LoginTurn::Held> wait_for_turn(Session& session, PinDigest pin, CK_FLAGS& token_flags,
                                             LoginRecord& record, Deadline deadline) {
  for (bool has_waited = false;; has_waited = true) {
    const bool is_accepted = record.accepted.is(pin);
    std::optional<LoginTurn::Held> turn = is_accepted ? std::nullopt : record.turn.try_take(kLongestLogin);
    if (is_accepted || turn) {
      if (!has_waited) return turn;
      token_flags = session.token_info().flags;
      refuse_if_locking(token_flags);
      return turn;
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      throw Error(ErrorClass::busy,
                  "another process that shares the token's login is in C_Login and did not return in time; "
                  "is the HSM reachable?");
    }
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

// What the token's flags tell by now of the logins in doubt.
void settle_doubts(CK_FLAGS token_flags, LoginRecord& record) {
  for (const PinDigest counted : record.doubtful.take_counted(token_flags)) record.refused.add(counted);
}

template <typename Login>
void try_pin(Session& session, const Login& login, const Pin& pin, CK_FLAGS token_flags,
             LoginHistory& history, Deadline deadline) {
  require_plausible(pin, "C_Login is not tried: ");
  LoginRecord& record = history.record;
  const PinDigest digest = history.digest(pin);
  require_not_refused(record, pin, digest);
  const std::optional<LoginTurn::Held> turn = wait_for_turn(session, digest, token_flags, record, deadline);
  if (turn && turn->was_abandoned()) {
    if (const PinDigest unknown = record.tried.exchange(kNoPin); unknown != kNoPin)
      record.doubtful.add(DoubtfulLogins::kNotReturned, unknown, token_flags);
  }
  settle_doubts(token_flags, record);
  require_not_refused(record, pin, digest);
  record.doubtful.wait_out_pause(digest, deadline);
  if (turn) record.tried.store(digest);
  bool is_accepted = false;
  try {
    is_accepted = login(&pin);
  } catch (const Error& error) {
    if (turn) record.tried.store(kNoPin);
    fail(error, pin, digest, token_flags, record);
  }
  if (turn) record.tried.store(kNoPin);
  if (!is_accepted) return;
  record.accepted.set(digest);
  record.doubtful.clear();
}

// At a token with a PIN pad, where a person types the PIN: whatever fails there is tried again, but not at
// the pace of the signatures that want it.
template <typename Login>
void try_pin_pad(const Login& login, CK_FLAGS token_flags, LoginRecord& record, Deadline deadline) {
  settle_doubts(token_flags, record);
  record.doubtful.wait_out_pause(kNoPin, deadline);
  try {
    static_cast<void>(login(nullptr));
  } catch (const Error& error) {
    record.doubtful.add(error.code().value_or(CKR_GENERAL_ERROR), kNoPin, token_flags);
    throw;
  }
  record.doubtful.clear();
}

// One C_Login, by `login`, which takes the PIN or, for a PIN pad, a null pointer, and returns whether the
// token has judged it.
template <typename Login>
void try_login(Session& session, const Login& login, CK_FLAGS token_flags, const PinReader& reader,
               LoginHistory& history, Deadline deadline) {
  if (token_flags & CKF_PROTECTED_AUTHENTICATION_PATH) {
    try_pin_pad(login, token_flags, history.record, deadline);
  } else {
    try_pin(session, login, reader(), token_flags, history, deadline);
  }
}

}  // namespace

void log_in(Session& session, const TokenInfo& token, const PinReader& reader, LoginHistory& history,
            Deadline deadline) {
  if (!reader || !(token.flags & CKF_LOGIN_REQUIRED)) return;
  bool done = false;
  bool has_waited = false;
  while (!done) {  // who waited for another's login has one to try, if that one failed
    has_waited = !history.attempt.run(deadline, [&] {
      done = true;
      if (logged_in(session)) return;
      const CK_FLAGS flags = has_waited ? session.token_info().flags : token.flags;
      refuse_if_locking(flags);
      const auto login = [&](const Pin* pin) { return session.login(pin); };
      try_login(session, login, flags, reader, history, deadline);
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
      const auto login = [&](const Pin* pin) {
        session.login_for_operation(pin);
        return true;
      };
      try_login(session, login, token.flags, reader, history, deadline);
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
