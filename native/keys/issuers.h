// The issuer certificates that came to a token with aliases: they go when no alias needs them any more.
#pragma once

#include <vector>

#include "native/keys/entry.h"
#include "native/keys/pkix.h"
#include "native/pkcs11/session.h"

namespace keystay::keys {

// Whether there are some that this chain does not need: only then is there anything to tidy up. Reads labels,
// and no certificate.
[[nodiscard]] bool has_other_issuers(pkcs11::Session& session, const Pkix& pkix, const Chain& chain);

// Destroys those that are in no chain of these entries, which are all of the token.
void destroy_unneeded_issuers(pkcs11::Session& session, const Pkix& pkix, const std::vector<Entry>& entries);

}  // namespace keystay::keys
