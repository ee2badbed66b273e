// What a CA whose key is on a token makes: certificates for requests and for keys (RFC 5280, RFC 2986).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "native/keys/entry.h"
#include "native/x509/signed_certificate.h"

namespace keystay::x509 {

// A certification request, from PEM or DER, by whose own key it is signed. Throws Error.
[[nodiscard]] X509Request read_request(std::string_view content);
// Its subject.
[[nodiscard]] X509Name subject_of(const X509_REQ* request);

// What the CA decides.
struct IssueOptions {
  X509Name subject;
  std::vector<std::string> extensions;  // as keytool's -ext writes them, "honored=" among them
  std::string signature_algorithm;      // JCA's name; empty: the usual one for the CA's key
  Validity validity;
};

// `ca` has a certificate, whose subject becomes the issuer. Throws Error and pkcs11::Error.
[[nodiscard]] keys::Certificate issue_certificate(const keys::Entry& ca, X509_REQ* request,
                                                  const IssueOptions& options);
// For a key on the token, which need not be able to sign. `rsa_pss_spki` is that of RequestContent.
[[nodiscard]] keys::Certificate issue_certificate(const keys::Entry& ca, const keys::PrivateKey& key,
                                                  pkcs11::ByteView rsa_pss_spki, const IssueOptions& options);

// The signature algorithm of a CA's certificates and CRLs, by its name or the usual one. Throws Error.
[[nodiscard]] const SignatureAlgorithm& issuing_algorithm(const keys::Entry& ca, std::string_view name);

// SubjectKeyIdentifier of the certificate, else the hash of its key (RFC 5280, section 4.2.1.1).
[[nodiscard]] pkcs11::Bytes key_identifier_of(const keys::Certificate& certificate);

}  // namespace keystay::x509
