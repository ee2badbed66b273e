// The user's login at a token: once for all sessions of a process, never undone (PKCS #11 v3.0,
// section 5.6.8).
#pragma once

#include "native/pkcs11/login_history.h"
#include "native/pkcs11/pin.h"
#include "native/pkcs11/session.h"
#include "native/pkcs11/slot.h"

namespace keystay::pkcs11 {

// C_Login through this session, if the token wants a login and the user is not logged in; an empty reader:
// never. Not tried with a PIN that the token has refused before, in this process or in one that shares its
// record (login_record.h), nor when the next refusal would lock the token, nor in the pause after logins that
// failed in doubt (doubtful_logins.h). `token` is as it was just before. Throws Error: authentication; busy
// if the login of another thread, or of such a process, lasts until the deadline; what a doubtful C_Login
// returned.
void log_in(Session& session, const TokenInfo& token, const PinReader& reader, LoginHistory& history,
            Deadline deadline);

// Throws Error unless the session sees all objects of the token, those with CKA_PRIVATE too: no login is
// needed, or the user is logged in. Session lost if there is a PIN, whose login other code in this process
// has ended; authentication if there is none.
void require_login(Session& session, const TokenInfo& token, const PinReader& reader);

// Whether a process that starts now could log in where this one is logged in from before: throws Error
// (authentication) if the PIN cannot be read, cannot be one, or is not configured any more. No PIN is tried,
// so one that was changed and is wrong is not noticed. `token` is as it is now.
void require_repeatable_login(Session& session, const TokenInfo& token, const PinReader& reader);

// C_Login for the operation that this session has begun with a key of CKA_ALWAYS_AUTHENTICATE. The PIN is the
// user's, and the same care is taken of it. Throws Error likewise, and without a reader.
void log_in_for_operation(Session& session, const TokenInfo& token, const PinReader& reader,
                          LoginHistory& history, Deadline deadline);

}  // namespace keystay::pkcs11
