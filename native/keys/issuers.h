// The issuer certificates that came to a token with aliases: they go when no alias needs them any more.
#pragma once

#include <vector>

#include "native/keys/entry.h"
#include "native/keys/pkix.h"
#include "native/keys/token_objects.h"
#include "native/pkcs11/session.h"

namespace keystay::keys {

// Whether there are some that this chain does not need: only then is there anything to tidy up. Reads labels,
// and no certificate.
[[nodiscard]] bool has_other_issuers(pkcs11::Session& session, const Pkix& pkix, const Chain& chain);

// Gives such a certificate a name of its own; false if it is not on the token as an issuer's.
[[nodiscard]] bool name_issuer(pkcs11::Session& session, const Certificate& certificate,
                               std::string_view name);

// Ends the name of certificates. One that is in a chain of these entries, which are all that stay on the
// token, becomes an issuer that came with them (it gets an issuer's label), unless the token has it under
// another name too; any other is destroyed.
void retire(pkcs11::Session& session, const Pkix& pkix, const std::vector<CertificateObject>& retired,
            const std::vector<Entry>& staying);
// Whether some certificate on the token that certifies another key names this one's subject as its issuer.
// One search: only then is it worth reading what the token has, to see who needs it.
[[nodiscard]] bool may_be_an_issuer(pkcs11::Session& session, const Pkix& pkix,
                                    const Certificate& certificate);

// Those that are in none of these chains, which are all of the token.
[[nodiscard]] std::vector<const CertificateObject*> unneeded_issuers(
    const std::vector<CertificateObject>& certificates, const std::vector<Chain>& chains);

// Destroys those that are in no chain of these entries, which are all of the token.
void destroy_unneeded_issuers(pkcs11::Session& session, const Pkix& pkix, const std::vector<Entry>& entries);

}  // namespace keystay::keys
