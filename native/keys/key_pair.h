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

struct KeyPairNames {
  std::string_view alias;
  std::string_view pending;  // until it is complete
};

// Generates a key pair under the pending label, gives it its CKA_ID, then the label of its alias. On an error
// nothing remains, as far as the token still answers. Repeatable: what an earlier try left under the pending
// label is removed.
void generate_key_pair(pkcs11::Session& session, const KeySpec& spec, KeyUse use, const Pkix& pkix,
                       const KeyPairNames& names);

}  // namespace keystay::keys
