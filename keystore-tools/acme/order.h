// An order from its beginning to its certificate (RFC 8555, section 7.4).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "keystore-tools/acme/challenge_response.h"
#include "keystore-tools/acme/client.h"

namespace keystay::tools::acme {

// The ways to answer challenges that the operator has given, in the order in which they are tried.
using Responders = std::vector<std::unique_ptr<Responder>>;

// Throws UsageError for an identifier that none of them could answer for: a wildcard's name has dns-01 alone,
// an address http-01.
void require_answerable(const std::vector<Identifier>& identifiers, const Responders& responders);

// The certificate with its chain, in PEM, for these identifiers, which are those of the request (PKCS #10,
// DER). Responses to challenges are withdrawn when it returns. Throws Refusal and Failure, which say of which
// identifier, and of which challenge; pkcs11::Error as Client.
[[nodiscard]] std::string obtain_certificate(Client& client, const std::vector<Identifier>& identifiers,
                                             const Responders& responders, pkcs11::ByteView request);

}  // namespace keystay::tools::acme
