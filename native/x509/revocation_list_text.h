// Certificate revocation lists as text, in the form of keytool's -printcrl.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "native/keys/certificate.h"
#include "native/x509/openssl_types.h"

namespace keystay::x509 {

using X509Crl = Owned<X509_CRL, X509_CRL_free>;

// From PEM with any number of them, or DER. Throws Error if there is none.
[[nodiscard]] std::vector<X509Crl> read_revocation_lists(std::string_view content);

// Throws Error.
[[nodiscard]] std::string describe_revocation_list(X509_CRL* crl);

// The same by its parts, as programs want them. Throws Error.
struct RevokedCertificate {
  std::string serial;  // "0a:ff"
  std::string date;    // "2026-11-21T09:37:21Z"
};
struct RevocationListSummary {
  std::string issuer;
  std::string this_update;
  std::string next_update;  // empty: the list does not say
  std::vector<RevokedCertificate> revoked;
};
[[nodiscard]] RevocationListSummary summary_of(X509_CRL* crl);

// "256-bit EC (secp256r1) key" of the certificate if it has signed the list; else "".
[[nodiscard]] std::string signing_key(X509_CRL* crl, const keys::Certificate& certificate);

// Its DER. Throws Error.
[[nodiscard]] pkcs11::Bytes der_of(const X509_CRL* crl);

}  // namespace keystay::x509
