// Making a key pair on a token: never extractable, and named only when it is complete.
#pragma once

#include <string>
#include <string_view>

#include "native/keys/key_spec.h"
#include "native/keys/pkix.h"
#include "native/pkcs11/session.h"

namespace keystay::keys {

// The label of a key pair until it is complete. A crash leaves it, so that the remains can be told and
// destroyed.
[[nodiscard]] std::string pending_label();

// Generates a key pair under the pending label, gives it its CKA_ID, then the label `alias`. On an error
// nothing remains, as far as the token still answers. Repeatable: what an earlier try left under the pending
// label is removed.
void generate_key_pair(pkcs11::Session& session, const KeySpec& spec, const Pkix& pkix,
                       std::string_view alias, std::string_view pending);

}  // namespace keystay::keys
