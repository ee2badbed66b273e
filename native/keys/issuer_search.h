// Chains of what is on a token.
#pragma once

#include <vector>

#include "native/keys/chain.h"
#include "native/pkcs11/session.h"

namespace keystay::keys {

// The best chain of this leaf (ChainBuilder) from the token's certificates and the others, which the token
// need not have. Issuers are searched for by the octets of CKA_SUBJECT; where these do not lead to a root, by
// a look at the names of all, because a search cannot find a name that is encoded in another way.
[[nodiscard]] Chain chain_on_token(pkcs11::Session& session, const Pkix& pkix, const Certificate& leaf,
                                   const std::vector<Certificate>& others);

// The same by searches for CKA_SUBJECT only, which read nothing else: it may lack issuers whose name is
// encoded in another way.
[[nodiscard]] Chain chain_by_searches(pkcs11::Session& session, const Pkix& pkix, const Certificate& leaf);

}  // namespace keystay::keys
