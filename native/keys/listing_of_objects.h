// A listing from the objects of a token.
#pragma once

#include <vector>

#include "native/keys/listing.h"
#include "native/keys/secret_key_objects.h"
#include "native/keys/token_objects.h"

namespace keystay::keys {

// Those of the certificates that were imported for their own sake: neither of a key, nor without a name, nor
// issuers that came with an alias.
[[nodiscard]] std::vector<TrustedCertificate> trusted_among(
    const std::vector<CertificateObject>& certificates, const std::vector<Entry>& entries,
    const std::vector<SecretKey>& secret_keys = {});

// Those of the secret keys that are aliases, with names apart from those of `entries`. What is unfinished is
// none.
[[nodiscard]] std::vector<SecretKey> secret_keys_among(const std::vector<SecretKeyObject>& objects,
                                                       const std::vector<Entry>& entries);

// Puts together what was read: `entries` are joined from the same certificates.
[[nodiscard]] Listing listing_of(std::vector<Entry> entries,
                                 const std::vector<CertificateObject>& certificates, const Pkix& pkix,
                                 std::vector<SecretKey> secret_keys = {});

// In the order of their labels and ids.
[[nodiscard]] std::vector<UnreadableObject> unreadable_objects(const TokenObjects& objects);

}  // namespace keystay::keys
