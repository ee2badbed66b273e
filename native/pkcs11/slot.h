// Finding the slot that holds a token: by label and serial, never by number, because numbers change.
#pragma once

#include <vector>

#include "native/pkcs11/module.h"
#include "native/pkcs11/token_info.h"

namespace keystay::pkcs11 {

[[nodiscard]] TokenInfo token_info(CK_FUNCTION_LIST& functions, CK_SLOT_ID slot);

// The one slot whose token it is. Throws Error: server if there is none, client if several match.
[[nodiscard]] CK_SLOT_ID find_slot(Module& module, const TokenIdentity& wanted, Deadline deadline);
// What it says of itself, without a session.
[[nodiscard]] TokenInfo find_token(Module& module, const TokenIdentity& wanted, Deadline deadline);

// The tokens that are there now. One that does not answer is left out.
[[nodiscard]] std::vector<TokenInfo> tokens_of(Module& module, Deadline deadline);

}  // namespace keystay::pkcs11
