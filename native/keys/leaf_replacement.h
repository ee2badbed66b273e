// Giving an alias another certificate: what is new first, read back, and what was there before last.
#pragma once

#include <set>
#include <vector>

#include "native/keys/entry.h"
#include "native/keys/pkix.h"
#include "native/keys/token_objects.h"
#include "native/pkcs11/session.h"

namespace keystay::keys {

// The certificates (DER) that are the leaf of an entry before anything is written. Two programs that renew
// one alias at once destroy what each saw here, and so never the new leaves of both.
[[nodiscard]] std::set<pkcs11::Bytes> leaves_of(pkcs11::Session& session, const Pkix& pkix,
                                                const Entry& entry);

// Stores issuers, then the leaf, then returns which of `old` may go. Throws Error, and takes back the leaf,
// if the key itself was destroyed meanwhile. Repeatable with the same `old`.
[[nodiscard]] std::vector<CertificateObject> replace_leaf(pkcs11::Session& session, const Pkix& pkix,
                                                          const Entry& entry, const Chain& chain,
                                                          const std::set<pkcs11::Bytes>& old);

}  // namespace keystay::keys
