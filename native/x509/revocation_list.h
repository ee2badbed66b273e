// Certificate revocation lists (RFC 5280, section 5) that a CA's key on a token signs.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "native/keys/entry.h"
#include "native/x509/signed_certificate.h"

namespace keystay::x509 {

// A certificate that is revoked.
struct Revocation {
  pkcs11::Bytes serial_number;  // DER INTEGER
  std::optional<int> reason;    // CRLReason, section 5.3.1
};

// "12345", "0x1f", with a reason after a colon if one likes, "12345:1", as keytool's -id writes it. Throws
// Error.
[[nodiscard]] Revocation parse_revocation(std::string_view text);

// The DER of a list of version 2, with the authority's key identifier and a CRL number that is the time of
// `validity.not_before`, so that a later list has a higher one. All are revoked at that time. `ca` has a
// certificate. Throws Error and pkcs11::Error.
[[nodiscard]] pkcs11::Bytes revocation_list(const keys::Entry& ca, const std::vector<Revocation>& revoked,
                                            Validity validity, const SignatureAlgorithm& algorithm);

}  // namespace keystay::x509
