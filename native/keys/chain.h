// Chains on a token: which certificate issued which, by name and by signature (RFC 5280, section 6.1).
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "native/keys/token_objects.h"

namespace keystay::keys {

// Finds the certificates with this subject Name (DER).
using IssuerSearch = std::function<std::vector<CertificateObject>(pkcs11::ByteView subject)>;

// The leaf and its issuers as far as they are found. Among several that fit, the preferred one (see entry.h).
[[nodiscard]] Chain build_chain(const Certificate& leaf, const Pkix& pkix, const IssuerSearch& search);

// The label of an issuer certificate that came with an alias; only such ones are destroyed with their last
// alias.
[[nodiscard]] std::string issuer_label(pkcs11::ByteView id);
[[nodiscard]] bool is_issuer_label(std::string_view label);

}  // namespace keystay::keys
